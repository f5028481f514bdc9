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
