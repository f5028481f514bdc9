#include "actors/view/view_waiters.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

namespace {

template <class Index>
void drop(Index& index, const typename Index::key_type& key, view_waiters::ticket which) {
  auto [begin, end] = index.equal_range(key);
  auto at = std::find_if(begin, end, [which](const auto& x) { return x.second == which; });
  if (at != end)
    index.erase(at);
}

void end_all(const std::vector<view_waiters::function>& functions, wait_end how) {
  for (const auto& fn : functions)
    fn(how);
}

} // namespace

view_waiters::ticket view_waiters::add(waiter x) {
  if (all_.size() >= limit_)
    return 0;
  auto which = ++last_;
  if (x.revision != 0)
    by_revision_.emplace(x.revision, which);
  else
    by_operation_.emplace(x.operation, which);
  by_deadline_.emplace(x.deadline, which);
  all_.emplace(which, std::move(x));
  return which;
}

std::optional<view_waiters::function> view_waiters::take(ticket which) {
  auto node = all_.extract(which);
  if (node.empty())
    return std::nullopt;
  auto& x = node.mapped();
  if (x.revision != 0)
    drop(by_revision_, x.revision, which);
  else
    drop(by_operation_, x.operation, which);
  drop(by_deadline_, x.deadline, which);
  return std::move(x.fn);
}

void view_waiters::when_revision(uint64_t revision, clock::time_point deadline, function fn) {
  auto how = wait_end::refused;
  {
    std::lock_guard lock{mutex_};
    if (revision <= revision_)
      how = wait_end::reached;
    else if (add({revision, {}, deadline, fn}) != 0)
      return;
  }
  fn(how);
}

view_waiters::ticket view_waiters::when_operation(operation_id operation,
                                                  clock::time_point deadline, function fn) {
  {
    std::lock_guard lock{mutex_};
    if (auto which = add({0, operation, deadline, fn}); which != 0)
      return which;
  }
  fn(wait_end::refused);
  return 0;
}

void view_waiters::reached(uint64_t revision) {
  std::vector<function> done;
  {
    std::lock_guard lock{mutex_};
    revision_ = std::max(revision_, revision);
    while (!by_revision_.empty() && by_revision_.begin()->first <= revision_)
      done.push_back(*take(by_revision_.begin()->second));
  }
  end_all(done, wait_end::reached);
}

void view_waiters::ended(operation_id operation) {
  std::vector<function> done;
  {
    std::lock_guard lock{mutex_};
    for (auto at = by_operation_.find(operation); at != by_operation_.end();
         at = by_operation_.find(operation))
      done.push_back(*take(at->second));
  }
  end_all(done, wait_end::reached);
}

void view_waiters::release(ticket which) {
  std::optional<function> done;
  {
    std::lock_guard lock{mutex_};
    done = take(which);
  }
  if (done)
    (*done)(wait_end::reached);
}

void view_waiters::expire(clock::time_point now) {
  std::vector<function> done;
  {
    std::lock_guard lock{mutex_};
    while (!by_deadline_.empty() && by_deadline_.begin()->first <= now)
      done.push_back(*take(by_deadline_.begin()->second));
  }
  end_all(done, wait_end::expired);
}

size_t view_waiters::size() const {
  std::lock_guard lock{mutex_};
  return all_.size();
}

} // namespace novacron
