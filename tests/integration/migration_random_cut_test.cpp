// Connections that are cut where chance says. NOVACRON_CUTS says how often (12; in full: 50),
// NOVACRON_SEED where.

#include "tests/integration/gated_stream.hpp"
#include "tests/integration/held_resources.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <random>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr size_t usual_cuts = 12;
/// While its connections are opened a migration may fail for each of them.
constexpr uint64_t opening_bytes = 12'000;
/// Each store may have grown, and a session's would be far more.
constexpr size_t heap_room = 24u << 20;

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

enum class cut_place : uint8_t { memory, devices, way_back };
enum class cut_reach : uint8_t { one, all_once, all };

struct cut_point {
  cut_place place = cut_place::memory;
  cut_reach reach = cut_reach::one;
  uint64_t at = 0;     ///< byte on the wire, or of the devices
  uint64_t number = 0; ///< of the connection, when it is one
};

std::string to_string(const cut_point& x) {
  constexpr const char* places[] = {"of what is sent", "of the devices", "of the way back"};
  constexpr const char* reaches[] = {"one connection", "all, once", "all, for good"};
  return std::string{reaches[static_cast<size_t>(x.reach)]} + " after byte " + std::to_string(x.at)
         + ' ' + places[static_cast<size_t>(x.place)];
}

/// Two in five while the memory travels or before, two while the devices do, one on the way back.
cut_point draw(std::mt19937_64& random, const whole_stream& whole) {
  constexpr cut_place places[] = {cut_place::memory, cut_place::devices, cut_place::way_back,
                                  cut_place::memory, cut_place::devices};
  cut_point x;
  x.place = places[random() % std::size(places)];
  x.reach = static_cast<cut_reach>(random() % 3);
  if (x.place == cut_place::devices && x.reach == cut_reach::all_once)
    x.reach = cut_reach::all; // the same: nobody comes back then
  const auto last = x.place == cut_place::memory    ? whole.wire_bytes
                    : x.place == cut_place::devices ? whole.device_bytes
                                                    : whole.wire_bytes_back;
  x.at = random() % last;
  x.number = random() % whole.connections;
  return x;
}

link_faults faults_of(const cut_point& x) {
  link_faults faults;
  faults.on_the_way_back = x.place == cut_place::way_back;
  auto& after = x.reach == cut_reach::one        ? faults.cut_one_after
                : x.reach == cut_reach::all_once ? faults.cut_once_after
                                                 : faults.cut_after;
  after = x.at;
  return faults;
}

/// Makes the migration, and the cut in it.
migration_record cut_migration(two_hosts& hosts, const cut_point& x, gated_stream& stream) {
  if (x.place != cut_place::devices) {
    hosts.set_link(faults_of(x));
    return hosts.migrate();
  }
  hosts.set_link({});
  auto migration = hosts.migrate();
  // It may be over before the gate closes: the devices' length varies.
  const bool stopped = stream.stops(hosts);
  if (auto link = hosts.link(); link && stopped)
    x.reach == cut_reach::one ? link->cut_one(x.number) : link->cut();
  stream.release();
  return migration;
}

/// What must become of it, where that is sure.
std::optional<migration_phase> sure_end(const cut_point& x, const whole_stream& whole) {
  if (x.place == cut_place::way_back)
    return std::nullopt; // how much is said there depends on the machine
  if (x.place == cut_place::memory && x.at < opening_bytes)
    return std::nullopt;
  if (x.reach == cut_reach::one)
    return migration_phase::done; // the others carry on
  if (x.place == cut_place::devices)
    return x.at + 12'288 < whole.device_bytes ? std::optional{migration_phase::rolled_back}
                                              : std::nullopt;
  if (x.at > whole.wire_bytes / 10 * 8)
    return std::nullopt; // the guest may have stopped, or be there
  return x.reach == cut_reach::all ? migration_phase::rolled_back : migration_phase::done;
}

void cut_and_check(two_hosts& hosts, const cut_point& x, const whole_stream& whole) {
  auto& from = hosts.here();
  auto& to = hosts.there();
  std::optional<migration_record> end;
  {
    gated_stream stream{from, x.place == cut_place::devices ? x.at : device_gate::never};
    end = hosts.end_of(cut_migration(hosts, x, stream), 2min);
    hosts.mend();
  }
  REQUIRE_MESSAGE(end.has_value(), hosts.log_lines());
  const bool done = end->phase == migration_phase::done;
  MESSAGE(to_string(x), ": ", (done ? "done" : end->reason));
  if (const auto sure = sure_end(x, whole))
    CHECK_MESSAGE(end->phase == *sure, to_string(end->phase), ' ', end->reason, "\n",
                  hosts.log_lines());
  // The record says what happened.
  CHECK(end->reason.empty() == done);
  CHECK(end->cost.chain_ok == done);
  REQUIRE_MESSAGE(hosts.settles_at(done ? to : from), hosts.log_lines());
}

} // namespace

TEST_CASE("wherever connections are cut one guest runs on, and nothing is left behind") {
  const auto seed = number_from("NOVACRON_SEED", 1);
  const auto cuts = number_from("NOVACRON_CUTS", usual_cuts);
  INFO("again: NOVACRON_SEED=", seed, " NOVACRON_CUTS=", cuts);
  two_hosts hosts{"novacron.region=16 novacron.sweep=1"};
  measure_whole(hosts); // what both hosts make once is there after it
  const auto whole = measure_whole(hosts);
  const std::vector folders{hosts.here().machine().config.state,
                            hosts.there().machine().config.state};
  const auto before = held_resources::now(folders);
  MESSAGE("held before: ", to_string(before));
  std::mt19937_64 random{seed};
  for (uint64_t i = 0; i < cuts; ++i) {
    CAPTURE(i);
    const auto point = draw(random, whole);
    CAPTURE(to_string(point));
    cut_and_check(hosts, point, whole);
    held_resources after;
    const bool clean = becomes_true(
        30s,
        [&] {
          after = held_resources::now(folders);
          return after.within(before, heap_room);
        },
        100ms);
    CHECK_MESSAGE(clean, "held before: ", to_string(before), "; after: ", to_string(after));
  }
}
