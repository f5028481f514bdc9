#include "dwcp/kept_memory/memory_lender.hpp"

#include "dwcp/transport/session_thread.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace novacron {

memory_lender::memory_lender(const lent_memory& memory, std::function<void()> progressed)
    : memory_{memory}, progressed_{std::move(progressed)} {
  thread_ = start_session_thread([this] {
    try {
      run();
    } catch (const std::bad_alloc&) {
      // What isn't digested isn't lent; `done` is never said, and the session goes on.
    }
  });
}

memory_lender::~memory_lender() {
  {
    const std::scoped_lock lock{mutex_};
    closing_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

std::optional<lent_part> memory_lender::take() {
  const std::scoped_lock lock{mutex_};
  if (parts_.empty())
    return std::nullopt;
  auto part = std::move(parts_.front());
  parts_.pop_front();
  changed_.notify_all();
  return part;
}

bool memory_lender::done() const {
  const std::scoped_lock lock{mutex_};
  return ended_ && parts_.empty();
}

void memory_lender::run() {
  std::vector<std::byte> pages(pages_a_part * page_size);
  for (uint64_t next = 0; next < memory_.pages();) {
    const auto count = memory_.read_some(next, pages);
    if (count == 0) // what can't be read isn't lent
      break;
    lent_part part{next, {}};
    part.digests.reserve(count);
    for (size_t i = 0; i < count; ++i)
      part.digests.push_back(
          digest_of_page(std::span{pages}.subspan(i * page_size).first<page_size>()));
    next += count;
    if (!offer(std::move(part)))
      return;
  }
  {
    const std::scoped_lock lock{mutex_};
    ended_ = true;
  }
  progressed_();
}

/// Waits for room; false when nobody wants more.
bool memory_lender::offer(lent_part part) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return closing_ || parts_.size() < parts_ahead; });
  if (closing_)
    return false;
  parts_.push_back(std::move(part));
  lock.unlock();
  progressed_();
  return true;
}

} // namespace novacron
