#include "dwcp/session/batch_source.hpp"

#include <string>
#include <utility>

namespace novacron {

batch_source::batch_source(uint64_t session, const chain_value& seed, size_t store_bytes, sink out)
    : session_{session}, out_{std::move(out)}, encoder_{seed, store_bytes},
      add_{[this](const page_record& record) { add(record); }}, chain_{seed} {
  // nop
}

void batch_source::push(std::span<const std::byte> bytes) {
  splitter_.push(bytes, add_);
}

void batch_source::flush() {
  if (encoder_.raw_bytes() > 0)
    seal();
}

void batch_source::finish() {
  splitter_.finish(add_);
  flush();
}

void batch_source::send_end() {
  frame x;
  x.header.kind = frame_kind::end;
  x.header.session = session_;
  x.header.sequence = sent_;
  x.header.chain = chain_;
  out_(std::move(x));
}

result<void> batch_source::acknowledge(uint64_t sequence, const chain_value& chain) {
  if (sequence < acknowledged_ || sequence > sent_)
    return make_failure(dwcp_errc::malformed, "acknowledgement of batch " + std::to_string(sequence)
                                                  + ": only " + std::to_string(sent_)
                                                  + " were sent");
  if (sequence == acknowledged_)
    return {};
  const auto count = static_cast<ptrdiff_t>(sequence - acknowledged_);
  if (under_way_[static_cast<size_t>(count) - 1] != chain)
    return make_failure(dwcp_errc::digest_mismatch,
                        "acknowledgement of batch " + std::to_string(sequence)
                            + ": the destination released other bytes than were sent; "
                              "start the migration again");
  under_way_.erase(under_way_.begin(), under_way_.begin() + count);
  acknowledged_ = sequence;
  return {};
}

void batch_source::add(const page_record& record) {
  encoder_.add(record);
  if (encoder_.full())
    seal();
}

void batch_source::seal() {
  auto batch = encoder_.seal();
  frame x;
  x.header.kind = frame_kind::batch;
  x.header.session = session_;
  x.header.sequence = sent_++;
  x.header.records = batch.records;
  x.header.round = splitter_.statistics().rounds;
  x.header.raw_bytes = batch.raw_bytes;
  x.header.chain = batch.chain;
  x.payload = std::move(batch.plan);
  chain_ = batch.chain;
  under_way_.push_back(chain_);
  out_(std::move(x));
}

} // namespace novacron
