#include "storage/local/barriers.hpp"

#include "storage/errors.hpp"

#include <iterator>
#include <utility>

namespace novacron {

void read_barriers::ask(std::vector<barrier_callback> waiting) {
  asked_.insert(asked_.end(), std::make_move_iterator(waiting.begin()),
                std::make_move_iterator(waiting.end()));
}

void read_barriers::poll(uint64_t revision, const std::string& hint,
                         raft_core::millisecond_clock now) {
  if (asked_.empty() && waiting_.empty())
    return;
  if (!core_.leader() || (under_way_ != 0 && term_ != core_.term())) {
    fail(make_failure(storage_errc::not_leader, "this node is not the leader; " + hint));
    return;
  }
  if (under_way_ != 0 && core_.applied_index() >= under_way_) {
    under_way_ = 0;
    for (auto& done : std::exchange(waiting_, {}))
      done(revision);
  }
  if (under_way_ != 0 || asked_.empty())
    return;
  auto index = term_began_;
  if (core_.voters() > 1) {
    index = core_.last_index() + 1;
    if (!core_.submit_barrier(now)) {
      fail(make_failure(storage_errc::not_leader, "this node hands over the lead; " + hint));
      return;
    }
  }
  under_way_ = index;
  term_ = core_.term();
  waiting_ = std::exchange(asked_, {});
  if (core_.applied_index() >= under_way_)
    poll(revision, hint, now);
}

void read_barriers::fail(const failure& why) {
  under_way_ = 0;
  for (auto& done : std::exchange(waiting_, {}))
    done(why);
  for (auto& done : std::exchange(asked_, {}))
    done(why);
}

} // namespace novacron
