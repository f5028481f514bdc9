#pragma once

#include "dwcp/codec/batch_format.hpp"
#include "dwcp/codec/digest_chain.hpp"
#include "dwcp/codec/lent_pages.hpp"
#include "dwcp/codec/page_store.hpp"
#include "dwcp/codec/plan_packer.hpp"
#include "dwcp/errors.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace novacron {

/// What a batch's sender announced.
struct batch_announcement {
  batch_codec codec = batch_codec::plain;
  uint32_t raw_bytes = 0;
  chain_value chain{};
};

/// A batch that was verified.
struct decoded_batch {
  std::span<const std::byte> raw; ///< of the stream; good until the next call
  uint64_t full_pages = 0;
  uint64_t zero_pages = 0;
  uint64_t opaque_bytes = 0;
};

/// Turns batches into the stream again: the inverse of `batch_encoder`. Input is
/// not trusted: no size is believed, memory is bounded by `batch_format.hpp`.
class batch_decoder {
public:
  /// `start` and `store_bytes` are the encoder's; `lanes` take turns, batch by batch.
  batch_decoder(const chain_value& start, size_t store_bytes, unsigned lanes = 1);

  /// What is lent to the encoder; null, as to begin with: nothing. It outlives this.
  void lend_from(page_lender* lender) { lender_ = lender; }
  void watch(page_watch watch) { watch_ = std::move(watch); }

  /// Decodes the next batch. `malformed` when it breaks the format,
  /// `digest_mismatch` when its bytes aren't those that were sent. After a
  /// failure no further batch can be decoded.
  result<decoded_batch> decode(const batch_announcement& announced,
                               std::span<const std::byte> payload);

  /// Of all that was decoded so far.
  [[nodiscard]] const chain_value& chain() const { return chain_.value(); }

private:
  result<decoded_batch> execute(std::span<const std::byte> plan, size_t raw_bytes);

  std::vector<plan_unpacker> lanes_;
  uint64_t batches_ = 0;
  digest_chain chain_;
  page_store store_;
  page_lender* lender_ = nullptr;
  page_watch watch_;
  std::vector<std::byte> raw_;
};

} // namespace novacron
