#include "tests/integration/two_hosts.hpp"

#include <atomic>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

using deed = std::function<void()>;

/// Where the guest must be when all is over. `restarted`: it ran at the
/// destination, died there, and its VM's policy started another one. `restarted_at_source`:
/// the same at the source, which it never left.
/// `source_or_restarted`: its QEMU died before Finish; the source has it back if
/// libvirtd knew that when Finish came, and can say so.
enum class outcome : uint8_t {
  source,
  destination,
  restarted,
  restarted_at_source,
  source_or_restarted
};

constexpr uint64_t some_wire_bytes = 8'000'000;

/// Does `kill` while the memory travels.
void during_perform(two_hosts& hosts, const deed& kill) {
  hosts.set_link({.hold_after = some_wire_bytes});
  hosts.migrate();
  auto held = becomes_true(60s, [&] { return hosts.link() && hosts.link()->holding(); });
  REQUIRE_MESSAGE(held, hosts.log_lines());
  kill();
  hosts.link()->release();
}

/// Does `kill` once, in the middle of the call `step` at `host`.
void around(two_hosts& hosts, migrating_host& host, guest_step step, moment when,
            const deed& kill) {
  std::atomic<bool> begun{false};
  std::atomic<bool> done{false};
  host.plan().at_each_step([&](guest_step which, moment at) {
    if (which != step || at != when || begun.exchange(true))
      return;
    kill();
    done = true;
  });
  hosts.migrate();
  auto killed = becomes_true(60s, [&] { return done.load(); });
  host.plan().at_each_step({});
  REQUIRE_MESSAGE(killed, hosts.log_lines());
}

/// Does `kill` when the source is about to have the migration committed.
void before_commit(two_hosts& hosts, const deed& kill) {
  std::atomic<bool> done{false};
  hosts.before_commit([&] {
    kill();
    done = true;
  });
  hosts.migrate();
  auto killed = becomes_true(60s, [&] { return done.load(); });
  REQUIRE_MESSAGE(killed, hosts.log_lines());
}

void ends_at(two_hosts& hosts, migrating_host& from, migrating_host& to, outcome where,
             uint64_t starts_before) {
  hosts.mend();
  if (where == outcome::source_or_restarted && hosts.rests())
    where = &hosts.here() == &from ? outcome::source : outcome::restarted;
  const bool at_source = where == outcome::source || where == outcome::restarted_at_source;
  const bool anew = where == outcome::restarted || where == outcome::restarted_at_source;
  auto settled = hosts.settles_at(at_source ? from : to);
  CHECK_MESSAGE(settled, hosts.log_lines());
  CHECK(hosts.console().summary().starts == starts_before + (anew ? 1 : 0));
}

/// One of the six who may die.
struct victim {
  const char* name;
  void (*kill)(two_hosts& hosts, migrating_host& from, migrating_host& to);
};

constexpr victim source_agent{
    "source agent", [](two_hosts&, migrating_host& from, migrating_host&) { from.kill_agent(); }};
constexpr victim destination_agent{
    "destination agent", [](two_hosts&, migrating_host&, migrating_host& to) { to.kill_agent(); }};
constexpr victim source_libvirtd{"source libvirtd", [](two_hosts&, migrating_host& from,
                                                       migrating_host&) { from.kill_libvirtd(); }};
constexpr victim destination_libvirtd{
    "destination libvirtd",
    [](two_hosts&, migrating_host&, migrating_host& to) { to.kill_libvirtd(); }};
constexpr victim source_qemu{"source QEMU",
                             [](two_hosts& hosts, migrating_host& from, migrating_host&) {
                               from.kill_guest(hosts.guest());
                             }};
constexpr victim destination_qemu{
    "destination QEMU",
    [](two_hosts& hosts, migrating_host&, migrating_host& to) { to.kill_guest(hosts.guest()); }};

enum class stage : uint8_t { performing, performed, committing, finished };

void dies(const victim& who, stage when, outcome where) {
  auto& hosts = shared_hosts();
  auto& from = hosts.here();
  auto& to = hosts.there();
  auto starts = hosts.console().summary().starts;
  auto kill = [&] { who.kill(hosts, from, to); };
  switch (when) {
  case stage::performing:
    during_perform(hosts, kill);
    break;
  case stage::performed:
    around(hosts, from, guest_step::perform, moment::after, kill);
    break;
  case stage::committing:
    before_commit(hosts, kill);
    break;
  case stage::finished:
    around(hosts, to, guest_step::finish, moment::after, kill);
    break;
  }
  ends_at(hosts, from, to, where, starts);
}

} // namespace

TEST_CASE("whoever dies while the memory travels, the guest stays at its source") {
  SUBCASE("the source's agent") {
    dies(source_agent, stage::performing, outcome::source);
  }
  SUBCASE("the destination's agent") {
    dies(destination_agent, stage::performing, outcome::source);
  }
  SUBCASE("the source's libvirtd") {
    dies(source_libvirtd, stage::performing, outcome::source);
  }
  SUBCASE("the destination's libvirtd") {
    dies(destination_libvirtd, stage::performing, outcome::source);
  }
  SUBCASE("the destination's QEMU") {
    dies(destination_qemu, stage::performing, outcome::source);
  }
}

TEST_CASE("a source's QEMU that dies while its memory travels is a guest that crashed") {
  dies(source_qemu, stage::performing, outcome::restarted_at_source);
}

TEST_CASE("between Perform and the decision the guest goes where its memory is whole") {
  SUBCASE("the source's agent") {
    dies(source_agent, stage::performed, outcome::source);
  }
  SUBCASE("the destination's agent") {
    dies(destination_agent, stage::performed, outcome::source);
  }
  SUBCASE("the source's libvirtd") {
    dies(source_libvirtd, stage::performed, outcome::destination);
  }
  SUBCASE("the destination's libvirtd") {
    dies(destination_libvirtd, stage::performed, outcome::source);
  }
  SUBCASE("the source's QEMU") {
    dies(source_qemu, stage::performed, outcome::destination);
  }
  SUBCASE("the destination's QEMU") {
    dies(destination_qemu, stage::performed, outcome::source_or_restarted);
  }
}

TEST_CASE("between the decision and Finish the destination runs it, or gives it back") {
  SUBCASE("the source's agent") {
    dies(source_agent, stage::committing, outcome::destination);
  }
  SUBCASE("the destination's agent") {
    dies(destination_agent, stage::committing, outcome::source);
  }
  SUBCASE("the source's libvirtd") {
    dies(source_libvirtd, stage::committing, outcome::destination);
  }
  SUBCASE("the destination's libvirtd") {
    dies(destination_libvirtd, stage::committing, outcome::source);
  }
  SUBCASE("the destination's QEMU") {
    dies(destination_qemu, stage::committing, outcome::source_or_restarted);
  }
}

TEST_CASE("between Finish and Confirm the guest is the destination's") {
  SUBCASE("the source's agent") {
    dies(source_agent, stage::finished, outcome::destination);
  }
  SUBCASE("the destination's agent") {
    dies(destination_agent, stage::finished, outcome::destination);
  }
  SUBCASE("the source's libvirtd") {
    dies(source_libvirtd, stage::finished, outcome::destination);
  }
  SUBCASE("the destination's libvirtd") {
    dies(destination_libvirtd, stage::finished, outcome::destination);
  }
  SUBCASE("the destination's QEMU, and the source must not wake up") {
    dies(destination_qemu, stage::finished, outcome::restarted);
  }
}

TEST_CASE("an agent that dies as it begins to finish says no more than it knows") {
  auto& hosts = shared_hosts();
  auto& from = hosts.here();
  auto& to = hosts.there();
  auto starts = hosts.console().summary().starts;
  around(hosts, to, guest_step::finish, moment::before, [&] { to.kill_agent(); });
  ends_at(hosts, from, to, outcome::restarted, starts);
  end_shared_hosts();
}
