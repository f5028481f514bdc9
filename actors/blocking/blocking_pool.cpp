#include "actors/blocking/blocking_pool.hpp"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace novacron {

namespace {

using strand = boost::asio::strand<boost::asio::thread_pool::executor_type>;

/// Keys that fall into the same strand wait for one another: rarely, and harmlessly.
constexpr size_t strand_count = 256;

/// The pool that this thread works for.
thread_local const void* employer = nullptr;

} // namespace

struct blocking_pool::implementation {
  explicit implementation(unsigned threads) {
    if (threads == 0)
      return;
    pool.emplace(threads);
    for (size_t i = 0; i < strand_count; ++i)
      strands.emplace_back(pool->get_executor());
  }

  void end() {
    std::unique_lock lock{mutex};
    idle.wait(lock, [this] { return long_calls == 0; });
    lock.unlock();
    if (pool) {
      pool->stop();
      pool->join();
    }
  }

  void long_call_ended() {
    std::lock_guard lock{mutex};
    --long_calls;
    idle.notify_all();
  }

  runner elsewhere; ///< empty: here
  std::optional<boost::asio::thread_pool> pool;
  std::vector<strand> strands;
  std::mutex mutex;
  std::condition_variable idle;
  unsigned long_calls = 0;
};

blocking_pool::blocking_pool(unsigned threads)
    : implementation_{std::make_shared<implementation>(threads)} {
  // nop
}

blocking_pool::blocking_pool(runner elsewhere)
    : implementation_{std::make_shared<implementation>(0)} {
  implementation_->elsewhere = std::move(elsewhere);
}

blocking_pool::~blocking_pool() {
  // The last work may hold the last handle on the pool; it can't wait for itself.
  if (employer == implementation_.get())
    std::thread{[state = std::move(implementation_)] { state->end(); }}.detach();
  else
    implementation_->end();
}

void blocking_pool::run(const uuid& key, std::function<void()> work) {
  if (implementation_->elsewhere) {
    implementation_->elsewhere(&key, std::move(work));
    return;
  }
  if (!implementation_->pool) {
    work();
    return;
  }
  auto& order = implementation_->strands[std::hash<uuid>{}(key) % strand_count];
  boost::asio::post(order, [me = implementation_.get(), work = std::move(work)]() mutable {
    employer = me;
    work();
    work = nullptr;
  });
}

bool blocking_pool::run_long(std::function<void()> work) {
  if (implementation_->elsewhere) {
    implementation_->elsewhere(nullptr, std::move(work));
    return true;
  }
  if (!implementation_->pool) {
    work();
    return true;
  }
  {
    std::lock_guard lock{implementation_->mutex};
    if (implementation_->long_calls == most_long_calls)
      return false;
    ++implementation_->long_calls;
  }
  try {
    std::thread{[state = implementation_, work = std::move(work)]() mutable {
      employer = state.get();
      work();
      work = nullptr; // what it held goes before anybody is told that it is over
      state->long_call_ended();
    }}.detach();
  } catch (const std::system_error&) { // no thread can be had
    implementation_->long_call_ended();
    return false;
  }
  return true;
}

void blocking_pool::run_apart(const uuid& key, const std::function<void()>& work) {
  if (!run_long(work))
    run(key, work);
}

} // namespace novacron
