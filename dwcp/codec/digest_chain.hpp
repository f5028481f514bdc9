#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

struct evp_md_ctx_st;

namespace novacron {

/// A SHA-256 digest of a stream up to some batch, all batches before included.
using chain_value = std::array<std::byte, 32>;

/// Digests a stream batch by batch: chain(i) = H(chain(i-1), bytes of batch i).
/// Two ends with equal chains have seen the same bytes in the same batches.
class digest_chain {
public:
  explicit digest_chain(const chain_value& start);

  /// The next bytes of the batch that is open.
  void add(std::span<const std::byte> bytes);
  /// Ends the batch; the value becomes the start of the next.
  const chain_value& seal();
  /// After the last batch that was ended.
  [[nodiscard]] const chain_value& value() const { return value_; }

private:
  struct context_deleter {
    void operator()(evp_md_ctx_st* context) const;
  };

  void restart();

  std::unique_ptr<evp_md_ctx_st, context_deleter> context_;
  chain_value value_;
};

/// The digest of some bytes alone.
chain_value digest_of(std::span<const std::byte> bytes);

} // namespace novacron
