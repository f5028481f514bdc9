#include "actors/vm/guest_calls.hpp"
#include "tests/unit/actors/one_guest.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

TEST_CASE("past the fencer's deadline nothing is let run, but anything may be ended") {
  auto driver = std::make_shared<one_guest>();
  host_context context;
  context.driver = driver;
  context.images["tick"] = {};
  vm_record record;
  record.id = one_guest::vm;
  record.spec.image = "tick";
  CHECK(make_call(context, guest_call::create, record, 1s)); // nobody guards yet
  context.guarded_until = 10s;
  CHECK(!make_call(context, guest_call::create, record, 9s));
  CHECK(!make_call(context, guest_call::resume, record, 9s));
  CHECK(driver->calls == "create resume ");
  auto refused = make_call(context, guest_call::resume, record, 10s);
  REQUIRE(refused);
  CHECK(refused->code == hypervisor_errc::unreachable);
  CHECK(make_call(context, guest_call::create, record, 10s));
  CHECK(!make_call(context, guest_call::destroy, record, 10s));
  CHECK(driver->calls == "create resume destroy ");
}

TEST_CASE("a guest has a card in each network, known everywhere by the same address") {
  host_context here;
  here.images["tick"] = {};
  here.networks = {{"dmz", "br7"}, {"lan", "br0"}};
  vm_record record;
  record.id = vm_id{{0x0102030405060708, 0x8a9b0c1d2e3f4050}};
  record.name = "edge-1";
  record.spec.image = "tick";
  record.spec.networks = {"dmz", "lan"};
  const auto spec = make_guest_spec(here, record, {1, 1});
  REQUIRE(spec.has_value());
  REQUIRE(spec->cards.size() == 2);
  CHECK(spec->cards[0].bridge == "br7");
  CHECK(spec->cards[0].mac == "52:1d:2e:3f:40:50");
  CHECK(spec->cards[1].bridge == "br0");
  CHECK(spec->cards[1].mac == "52:1d:2e:3f:40:51");
  here.networks.erase("lan");
  const auto refused = make_guest_spec(here, record, {1, 1});
  REQUIRE(!refused.has_value());
  CHECK(
      refused.error().message.find("cannot start vm edge-1: network \"lan\" is not in this host's")
      != std::string::npos);
}
