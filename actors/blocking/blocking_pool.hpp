#pragma once

#include "messages/local.hpp"
#include "messages/uuid.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <functional>
#include <memory>
#include <utility>

namespace novacron {

/// Where calls that block run: libvirt, files, page sessions. Actors of the
/// shared scheduler never block; they hand the call over here and get a
/// `continuation` back.
class blocking_pool {
public:
  /// Runs work when it likes, in the order of its key; a null key is that of
  /// `run_long`, whose calls wait for nothing.
  using runner = std::function<void(const uuid* key, std::function<void()> work)>;

  /// With no threads, work runs at once on the caller's thread: for tests.
  explicit blocking_pool(unsigned threads);
  /// Hands all work on: for simulation.
  explicit blocking_pool(runner elsewhere);
  /// Waits for the work that has begun; drops what has not.
  ~blocking_pool();
  blocking_pool(const blocking_pool&) = delete;
  blocking_pool& operator=(const blocking_pool&) = delete;

  /// Runs `work` on some thread, after all earlier work of the same key.
  void run(const uuid& key, std::function<void()> work);

  /// Runs `work` on a thread of its own, for calls that take minutes. False
  /// when `most_long_calls` run already, or no thread can be had: nothing was done.
  bool run_long(std::function<void()> work);

  /// Runs `work` on a thread of its own or, when that can't be, as `run` does: what may
  /// take seconds, and must be done.
  void run_apart(const uuid& key, const std::function<void()>& work);

  static constexpr unsigned most_long_calls = 64;

private:
  struct implementation;
  std::shared_ptr<implementation> implementation_;
};

/// Runs `work` in `pool` and brings its result back to `then`, on `self`.
/// `then` is dropped when the actor is gone by that time.
template <class Self, class Work, class Then>
void call_blocking(Self self, blocking_pool& pool, const uuid& key, Work work, Then then) {
  pool.run(key, [handle = caf::actor_cast<caf::actor>(self), work = std::move(work),
                 then = std::move(then)]() mutable {
    auto answer = std::make_shared<decltype(work())>(work());
    caf::anon_send(handle, continuation{[answer, then]() mutable { then(std::move(*answer)); }});
  });
}

} // namespace novacron
