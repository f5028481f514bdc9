#pragma once

#include <atomic>
#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/mailbox_element.hpp>
#include <cstdint>
#include <memory>
#include <optional>

namespace novacron {

// How many messages wait in an actor's mailbox, seen from outside.
//
// The problem: CAF 0.17.6 tells that to nobody but the actor itself (the size of
// its inbox may be read by its consumer alone, and only after emptying the part
// that senders write to), its profiler is compiled out of Debian's library, and
// a message that asks would wait behind those that it should count. So an actor
// that is spawned by `spawn_counted` counts: up when a message is put into its
// mailbox, down when that message is destroyed, which is after it was handled,
// or with the actor. One more allocation a message, and exact.

/// The counter of one actor. Safe from any thread.
class mailbox_counter {
public:
  /// Messages that wait or are being handled.
  [[nodiscard]] uint64_t waiting() const { return count_->load(std::memory_order_relaxed); }

protected:
  mailbox_counter() = default;
  ~mailbox_counter() = default;

  /// The message as it was, but counted until it is destroyed.
  [[nodiscard]] caf::mailbox_element_ptr counted(caf::mailbox_element_ptr message) const;

private:
  std::shared_ptr<std::atomic<uint64_t>> count_ = std::make_shared<std::atomic<uint64_t>>(0);
};

/// The messages that wait in the mailbox of `whom`; nothing if nobody counts them.
std::optional<uint64_t> messages_waiting(const caf::actor& whom);

/// `Impl` with a counted mailbox.
template <class Impl>
class with_counted_mailbox final : public Impl, public mailbox_counter {
public:
  using Impl::enqueue;
  using Impl::Impl;

  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* host) override {
    Impl::enqueue(counted(std::move(message)), host);
  }
};

/// `system.spawn<Options>(fun, xs...)`, with a counted mailbox.
template <caf::spawn_options Options = caf::no_spawn_options, class F, class... Ts>
caf::infer_handle_from_fun_t<F> spawn_counted(caf::actor_system& system, F fun, Ts&&... xs) {
  using impl = caf::infer_impl_from_fun_t<F>;
  static_assert(caf::detail::spawnable<F, impl, Ts...>(),
                "cannot spawn function-based actor with given arguments");
  caf::detail::init_fun_factory<impl, F> factory;
  caf::actor_config config;
  config.init_fun = factory(std::move(fun), std::forward<Ts>(xs)...);
  return system.spawn_class<with_counted_mailbox<impl>, Options>(config);
}

} // namespace novacron
