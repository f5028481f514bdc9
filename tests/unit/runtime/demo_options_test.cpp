#include "runtime/demo/demo_options.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// "" for good options, or the part of the complaint before the value.
bool complains_of(const demo_options& options, const std::string& option) {
  return wrong_option(options).starts_with(option);
}

} // namespace

TEST_CASE("the demo's own options are good") {
  CHECK(wrong_option({}).empty());
}

TEST_CASE("an option out of range is named, with what is allowed") {
  demo_options x;
  SUBCASE("--port") {
    for (uint16_t good : {1'024, 65'445}) {
      x.port = good;
      CHECK(wrong_option(x).empty());
    }
    for (uint16_t bad : {0, 1'023, 65'446, 65'535}) {
      x.port = bad;
      CHECK(complains_of(x, "--port " + std::to_string(bad) + " is out of range"));
    }
  }
  SUBCASE("--guest-memory") {
    x.guest_memory_mib = 96;
    CHECK(wrong_option(x).empty());
    for (uint64_t bad : {uint64_t{0}, uint64_t{95}, uint64_t{4'097}, ~uint64_t{0}}) {
      x.guest_memory_mib = bad;
      CHECK(complains_of(x, "--guest-memory " + std::to_string(bad) + " is too "));
    }
  }
  SUBCASE("--pause-guest") {
    x.pause_guest = 30s;
    CHECK(wrong_option(x).empty());
    for (auto bad : {-1ms, 30'001ms, std::chrono::milliseconds::max()}) {
      x.pause_guest = bad;
      CHECK(complains_of(x, "--pause-guest"));
    }
  }
  SUBCASE("--configs") {
    x.configs = "nowhere";
    CHECK(wrong_option(x) == "nowhere/node-1.toml is missing; give --configs");
  }
  SUBCASE("--folder") {
    x.folder.clear();
    CHECK(complains_of(x, "--folder"));
  }
}

TEST_CASE("guest arguments that the guest or the API would refuse are refused at once") {
  demo_options x;
  for (const auto* good : {"novacron.dirty=12", "novacron.region=1", "novacron.region=196",
                           "novacron.sweep=60 loglevel=7"}) {
    x.guest_arguments = good;
    CHECK_MESSAGE(wrong_option(x).empty(), good);
  }
  for (const auto& bad :
       {std::string{"a\nb"}, std::string{"\"x\""}, std::string{"caf\xC3\xA9"},
        std::string(1'024, 'x'), std::string{"novacron.region=0"},
        std::string{"novacron.region=197"}, std::string{"novacron.region=99999999999999999999"},
        std::string{"novacron.sweep=0"}, std::string{"novacron.sweep=61"},
        std::string{"novacron.sweep=x"}}) {
    x.guest_arguments = bad;
    CHECK_MESSAGE(complains_of(x, "--guest-args"), bad);
  }
}

TEST_CASE("the guest's arguments say what the demo must find") {
  demo_options x;
  x.guest_memory_mib = 512;
  CHECK(plan_guest(x).region_mib == 192);
  CHECK(plan_guest(x).ticks_of_a_pass == 105);
  CHECK(plan_guest(x).arguments
        == "console=ttyS0 quiet panic=-1 novacron.region=192 novacron.dirty=4");
  x.guest_arguments = "novacron.region=32 novacron.sweep=20";
  CHECK(plan_guest(x).region_mib == 32);
  CHECK(plan_guest(x).ticks_of_a_pass == 205);
  CHECK(plan_guest(x).arguments.starts_with("novacron.region=32 novacron.sweep=20 console="));
}
