// A page session over a link that loses packets: emulated, between two network namespaces.

#include "tests/lab/link/emulated_link.hpp"
#include "tests/unit/dwcp/qemu_pair.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

constexpr const char* by_loss = "reno"; ///< a congestion control that every kernel has

bool has_bbr(const lab::emulated_link& link) {
  try {
    link.set_congestion_control("bbr");
  } catch (const std::exception& why) {
    MESSAGE("skipped: ", std::string{why.what()});
    return false;
  }
  return true;
}

/// The source on one side of a link, the destination on the other.
struct far_pair {
  const lab::emulated_link& link;
  qemu_pair pair;

  explicit far_pair(const lab::emulated_link& between) : link{between} {
    link.set_congestion_control(by_loss);
    link.b().inside([this] {
      pair.door = open_page_door(pair.authority.issue(pair.ticket.destination), link.address_b, 0)
                      .value();
    });
    pair.sending.destination_host = link.address_b;
    pair.sending.destination_port = pair.door->port();
  }

  /// Carries so many pages of noise, and tells what the source says of it.
  session_statistics carry(size_t pages) {
    random_numbers random{80};
    const auto stream = noise_stream(random, pages);
    carried there;
    link.a().inside([&] { there = migrate(pair, stream, random); });
    CHECK(there.at_destination == stream);
    const auto sent = pair.sent.wait();
    REQUIRE(why(sent) == "");
    REQUIRE(why(pair.received.wait()) == "");
    return *sent;
  }
};

} // namespace

TEST_CASE("where packets get lost, a session turns to a congestion control that bears it") {
  if (const auto why = lab::why_no_links()) {
    MESSAGE("skipped: ", *why);
    return;
  }
  const lab::emulated_link link{{.rate_mbit_per_s = 60, .delay = 10ms, .loss = 0.01}};
  if (!has_bbr(link))
    return;
  const auto sent = far_pair{link}.carry(8'000);
  CHECK(sent.congestion_control == "bbr");
  CHECK(sent.further_streams == 0);
}

TEST_CASE("where packets get lost, and no such control is to be had, more connections carry") {
  if (const auto why = lab::why_no_links()) {
    MESSAGE("skipped: ", *why);
    return;
  }
  const lab::emulated_link link{{.rate_mbit_per_s = 60, .delay = 10ms, .loss = 0.01}};
  far_pair x{link};
  x.pair.sending.lossy_control = "pigeons";
  const auto sent = x.carry(8'000);
  CHECK(sent.congestion_control == by_loss);
  CHECK(sent.further_streams > 0);
  CHECK(sent.carrying_streams > x.pair.sending.streams);
  CHECK(sent.reconnects == 0);
}

TEST_CASE("where a link is full, and loses packets only for that, all stays as it is") {
  if (const auto why = lab::why_no_links()) {
    MESSAGE("skipped: ", *why);
    return;
  }
  const lab::emulated_link link{{.rate_mbit_per_s = 20, .delay = 10ms}};
  const auto sent = far_pair{link}.carry(5'000);
  CHECK(sent.congestion_control == by_loss);
  CHECK(sent.further_streams == 0);
}
