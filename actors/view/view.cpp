#include "actors/view/view.hpp"

#include "actors/feed/follow.hpp"

namespace novacron {

namespace {

constexpr auto tick_interval = std::chrono::milliseconds{20};

using self_pointer = view_actor::stateful_pointer<view_state>;

feed_follower::sink sink_of(self_pointer self) {
  auto& table = *self->state.table;
  return {
      .put =
          [self, &table](const any_record& record) {
            if (self->state.follower->listing())
              table.listed(record);
            else
              table.changed(record);
          },
      .remove = [&table](const any_record& record) { table.removed(record); },
      .keep_only = [&table](const auto& named) { table.keep_only(named); },
      .progress = [&table](const migration_progress& progress) { table.progress(progress); },
  };
}

void follow_feed(self_pointer self, const feed_source_actor& source) {
  follow(self, source, *self->state.follower, [self] {
    const auto& follower = *self->state.follower;
    if (!follower.listing())
      self->state.table->advance(follower.revision());
  });
}

} // namespace

view_actor::behavior_type view(self_pointer self, std::shared_ptr<view_table> table,
                               feed_source_actor source, double phase) {
  self->state.table = std::move(table);
  self->state.follower.emplace(feed_filter{}, false, sink_of(self), phase);
  self->state.follower->go_on_from(self->state.table->revision());
  self->send(self, tick_atom::value);
  return {
      [self](status_atom) {
        const auto& follower = *self->state.follower;
        auto since = self->clock().now() - follower.last_contact();
        return view_status{follower.revision(), follower.complete(),
                           std::chrono::duration_cast<std::chrono::milliseconds>(since)};
      },
      [self, source](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        follow_feed(self, source);
      },
  };
}

} // namespace novacron
