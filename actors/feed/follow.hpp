#pragma once

#include "actors/feed/feed_follower.hpp"
#include "messages/actors.hpp"

namespace novacron {

/// Longer than a pull waits at the feed.
inline constexpr auto follow_timeout = std::chrono::seconds{3};

/// Sends `follower`'s next question, if it has one, to `source`, and goes on
/// with the next as soon as it is answered; `after_each` runs after every
/// answer. Call it from the actor's tick as well: it starts the loop, and
/// restarts it after a failure.
template <class Self, class AfterEach>
void follow(Self self, const feed_source_actor& source, feed_follower& follower,
            AfterEach after_each) {
  auto question = follower.next(self->clock().now());
  if (!question)
    return;
  auto on_error = [self, &follower](const caf::error&) { follower.failed(self->clock().now()); };
  auto go_on = [self, source, &follower, after_each] {
    after_each();
    follow(self, source, follower, after_each);
  };
  if (auto* list = std::get_if<list_request>(&*question))
    self->request(source, follow_timeout, *list)
        .then(
            [self, &follower, go_on](const feed_listing& page) {
              follower.listed(page, self->clock().now());
              go_on();
            },
            on_error);
  else
    self->request(source, follow_timeout, std::get<pull_request>(*question))
        .then(
            [self, &follower, go_on](const feed_changes& changes) {
              follower.changed(changes, self->clock().now());
              go_on();
            },
            on_error);
}

} // namespace novacron
