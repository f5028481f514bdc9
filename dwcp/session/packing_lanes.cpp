#include "dwcp/session/packing_lanes.hpp"

#include "dwcp/codec/plan_packer.hpp"
#include "dwcp/transport/session_thread.hpp"

#include <chrono>
#include <utility>

namespace novacron {

packing_lanes::packing_lanes(int level, callbacks calls) : calls_{std::move(calls)}, level_{level} {
  // nop
}

/// By way of the other one, so that lanes that work are joined when no further thread can be had.
packing_lanes::packing_lanes(unsigned lanes, int level, callbacks calls)
    : packing_lanes{level, std::move(calls)} {
  for (unsigned i = 0; i < lanes; ++i) {
    auto& x = *lanes_.emplace_back(std::make_unique<lane>());
    x.thread = start_session_thread([this, &x] {
      try {
        run(x);
      } catch (const std::exception& why) {
        calls_.failed(why);
      }
    });
  }
}

packing_lanes::~packing_lanes() {
  {
    const std::scoped_lock lock{mutex_};
    closing_ = true;
    changed_.notify_all();
  }
  for (auto& x : lanes_)
    if (x->thread.joinable())
      x->thread.join();
}

void packing_lanes::put(frame batch) {
  ++under_way_;
  const std::scoped_lock lock{mutex_};
  auto& x = *lanes_[batch.header.sequence % lanes_.size()];
  x.jobs.push_back({std::move(batch), level_});
  changed_.notify_all();
}

bool packing_lanes::full() const {
  return under_way_ >= waiting_a_lane * lanes_.size();
}

packing_work packing_lanes::work() const {
  const std::scoped_lock lock{mutex_};
  return work_;
}

void packing_lanes::run(lane& x) {
  plan_packer packer;
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [&] { return closing_ || !x.jobs.empty(); });
    if (closing_)
      return;
    auto next = std::move(x.jobs.front());
    x.jobs.pop_front();
    lock.unlock();
    const auto from = std::chrono::steady_clock::now();
    const auto plan_bytes = next.batch.payload.size();
    auto packed = packer.pack(std::move(next.batch.payload), next.level);
    const auto busy = std::chrono::steady_clock::now() - from;
    const auto packed_bytes = packed.payload.size();
    next.batch.header.codec = packed.codec;
    next.batch.payload = std::move(packed.payload);
    calls_.packed(std::move(next.batch));
    --under_way_;
    lock.lock();
    work_.plan_bytes += plan_bytes;
    work_.packed_bytes += packed_bytes;
    work_.busy += busy;
    ++work_.batches;
  }
}

} // namespace novacron
