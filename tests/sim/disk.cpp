#include "disk.hpp"

#include <utility>
#include <vector>

namespace novacron::sim {

bool disk::submit(std::function<void()> write, std::function<void()> done) {
  if (full_)
    return false;
  waiting_.push_back({std::move(write), std::move(done)});
  begin();
  return true;
}

bool disk::submit_synced(std::function<void()> write) {
  if (full_)
    return false;
  waiting_.push_back({std::move(write), {}});
  ++epoch_;
  writing_ = false;
  // Durable now; who waits hears of it in a turn of its own.
  auto all = std::exchange(waiting_, {});
  for (auto& each : all) {
    each.write();
    if (each.done)
      time_.after(0, [this, done = std::move(each.done), crashes = crashes_] {
        if (crashes == crashes_)
          done();
      });
  }
  return true;
}

void disk::begin() {
  if (writing_ || waiting_.empty())
    return;
  writing_ = true;
  const auto latency = luck_.between(faults_.latency_min_ms, faults_.latency_max_ms) * slow_;
  time_.after(latency, [this, epoch = epoch_, count = waiting_.size()] {
    if (epoch == epoch_)
      finish(count);
  });
}

void disk::finish(size_t count) {
  std::vector<job> done;
  for (; count > 0; --count) {
    done.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    done.back().write();
  }
  writing_ = false;
  begin();
  for (auto& each : done)
    if (each.done)
      time_.after(0, [this, call = std::move(each.done), crashes = crashes_] {
        if (crashes == crashes_)
          call();
      });
}

void disk::crash() {
  const auto survive = luck_.below(waiting_.size() + 1);
  if (survive < waiting_.size())
    seen_.hit(probe::crash_lost_writes);
  for (size_t i = 0; i < survive; ++i)
    waiting_[i].write();
  waiting_.clear();
  writing_ = false;
  ++epoch_;
  ++crashes_;
}

} // namespace novacron::sim
