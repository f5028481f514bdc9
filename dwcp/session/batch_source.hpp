#pragma once

#include "dwcp/codec/batch_encoder.hpp"
#include "dwcp/errors.hpp"
#include "dwcp/guest_stream/stream_splitter.hpp"
#include "dwcp/transport/frame.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <utility>

namespace novacron {

/// QEMU's bytes in, frames with plans out, in order; and the account of what the other end
/// has released. Pure.
class batch_source {
public:
  using sink = std::function<void(frame)>;

  batch_source(uint64_t session, const chain_value& seed, size_t store_bytes, sink out);

  /// The next bytes of the stream. A batch leaves when it is full.
  void push(std::span<const std::byte> bytes);
  /// Lets a batch leave that isn't full.
  void flush();
  /// The stream has ended: everything leaves.
  void finish();
  /// The frame that says so, after all batches.
  void send_end();

  /// The other end has released all batches below `sequence`; `digest_mismatch`
  /// when its chain isn't ours.
  result<void> acknowledge(uint64_t sequence, const chain_value& chain);

  /// As `batch_encoder`'s.
  bool lend(uint64_t first, std::span<const page_digest> digests) {
    return encoder_.lend(first, digests);
  }
  [[nodiscard]] uint64_t pages_on_offer() const { return encoder_.pages_on_offer(); }
  void use_lent(bool use) { encoder_.use_lent(use); }
  void watch(page_watch watch) { encoder_.watch(std::move(watch)); }

  /// Bytes that have not left in a batch.
  [[nodiscard]] size_t pending_bytes() const {
    return encoder_.raw_bytes() + splitter_.held_bytes();
  }
  /// Bytes that could leave now.
  [[nodiscard]] size_t ready_bytes() const { return encoder_.raw_bytes(); }
  /// Everything that came has left, was released, and the chains are equal.
  [[nodiscard]] bool agreed() const { return pending_bytes() == 0 && under_way_.empty(); }
  [[nodiscard]] size_t frames_under_way() const { return under_way_.size(); }

  [[nodiscard]] const stream_splitter& splitter() const { return splitter_; }
  [[nodiscard]] const page_decisions& decisions() const { return encoder_.decisions(); }
  [[nodiscard]] uint64_t batches() const { return sent_; }
  [[nodiscard]] const chain_value& chain() const { return chain_; }

private:
  void add(const page_record& record);
  void seal();

  const uint64_t session_;
  const sink out_;
  stream_splitter splitter_;
  batch_encoder encoder_;
  stream_splitter::sink add_;
  uint64_t sent_ = 0;
  uint64_t acknowledged_ = 0;
  chain_value chain_;
  std::deque<chain_value> under_way_; ///< chains of the batches from `acknowledged_` on
};

} // namespace novacron
