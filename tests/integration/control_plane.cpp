#include "tests/integration/control_plane.hpp"

#include "actors/feed/feed.hpp"
#include "actors/frontend/frontend.hpp"
#include "actors/replica/replica_keeper.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "tests/integration/control_actors.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <doctest/doctest.h>

namespace novacron::test {

using namespace std::chrono_literals;

control_plane::control_plane(caf::actor_system& system, const std::filesystem::path& folder)
    : system_{system}, actors_{std::make_unique<control_actors>()} {
  config_.folder = folder;
  config_.node = node_id{random_uuid()};
  config_.cluster = cluster_id{random_uuid()};
  start();
}

void control_plane::start() {
  auto& system = system_;
  auto& x = *actors_;
  x.replica = caf::actor_cast<replica_actor>(system.spawn<caf::detached>(
      replica_keeper, replica_opener{[config = config_] { return replica::open(config); }},
      logger{}, replica_place{}));
  x.feed = system.spawn(feed, feed_config{}, x.replica);
  x.scheduler
      = system.spawn(scheduler, scheduler_config{}, caf::actor_cast<feed_source_actor>(x.feed));
  x.frontend = caf::actor_cast<frontend_actor>(system.spawn(
      frontend, frontend_config{}, x.replica, x.scheduler, std::shared_ptr<standing_links>{}));
}

control_plane::~control_plane() {
  auto end = [](const auto& whom) { caf::anon_send_exit(whom, caf::exit_reason::user_shutdown); };
  end(actors_->frontend);
  end(actors_->scheduler);
  end(actors_->feed);
  end(actors_->replica);
}

void control_plane::kill() {
  caf::scoped_actor self{system_};
  const auto& x = *actors_;
  const std::vector<caf::actor> all{
      caf::actor_cast<caf::actor>(x.frontend), caf::actor_cast<caf::actor>(x.scheduler),
      caf::actor_cast<caf::actor>(x.feed), caf::actor_cast<caf::actor>(x.replica)};
  for (const auto& each : all) {
    self->monitor(each);
    caf::anon_send_exit(each, caf::exit_reason::kill);
  }
  size_t ended = 0;
  for (size_t i = 0; i < all.size(); ++i)
    self->receive([&](const caf::down_msg&) { ++ended; }, caf::after(10s) >> [] {});
  REQUIRE(ended == all.size());
}

command_outcome control_plane::propose(command_body what) {
  caf::scoped_actor self{system_};
  command_outcome outcome;
  self->request(actors_->frontend, 10s, proposal{{command{std::move(what), {}}}})
      .receive(
          [&](const outcomes& answer) {
            REQUIRE(answer.each.size() == 1);
            outcome = answer.each.front();
          },
          [&](const caf::error& why) { FAIL("no outcome: " << system_.render(why)); });
  return outcome;
}

std::vector<any_record> control_plane::records() {
  caf::scoped_actor self{system_};
  std::vector<any_record> found;
  list_request page;
  do {
    self->request(actors_->feed, 10s, page)
        .receive(
            [&](const feed_listing& answer) {
              found.insert(found.end(), answer.records.begin(), answer.records.end());
              page.from = answer.next;
            },
            [&](const caf::error& why) { FAIL("no listing: " << system_.render(why)); });
  } while (!page.from.empty());
  return found;
}

} // namespace novacron::test
