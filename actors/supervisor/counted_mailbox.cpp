#include "actors/supervisor/counted_mailbox.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>

namespace novacron {

namespace {

/// Passes all questions on to the message that it holds.
class counted_element final : public caf::mailbox_element {
public:
  counted_element(caf::mailbox_element_ptr message, std::shared_ptr<std::atomic<uint64_t>> count)
      : caf::mailbox_element{std::move(message->sender), message->mid, std::move(message->stages)},
        message_{std::move(message)}, count_{std::move(count)} {
    count_->fetch_add(1, std::memory_order_relaxed);
  }
  ~counted_element() override { count_->fetch_sub(1, std::memory_order_relaxed); }

  caf::type_erased_tuple& content() override { return message_->content(); }
  [[nodiscard]] const caf::type_erased_tuple& content() const override {
    return std::as_const(*message_).content();
  }
  caf::message move_content_to_message() override { return message_->move_content_to_message(); }
  [[nodiscard]] caf::message copy_content_to_message() const override {
    return message_->copy_content_to_message();
  }

private:
  caf::mailbox_element_ptr message_;
  std::shared_ptr<std::atomic<uint64_t>> count_;
};

} // namespace

caf::mailbox_element_ptr mailbox_counter::counted(caf::mailbox_element_ptr message) const {
  return caf::mailbox_element_ptr{new counted_element{std::move(message), count_}};
}

std::optional<uint64_t> messages_waiting(const caf::actor& whom) {
  auto* counter = dynamic_cast<const mailbox_counter*>(caf::actor_cast<caf::abstract_actor*>(whom));
  return counter ? std::optional{counter->waiting()} : std::nullopt;
}

} // namespace novacron
