#include "actors/scheduler/scheduler_state.hpp"
#include "placement_records.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

TEST_CASE(
    "what a lost VM's other hosts lack is said of one of them, not of the host that is lost") {
  scheduler_state scheduler;
  auto lost = placing_host(1);
  lost.state = host_state::fenced;
  auto cordoned = placing_host(2, 2'048);
  cordoned.state = host_state::cordoned;
  scheduler.put(lost);
  scheduler.put(cordoned);
  scheduler.put(placed_vm(7, 1));
  place_request replace;
  replace.vm = placed_vm_id(7);
  replace.replacement = true;
  const auto answer = scheduler.choose(replace, scheduler_state::time_point{1h});
  CHECK(answer.host.nil());
  CHECK(answer.detail.find("host node-2 is cordoned") != std::string::npos);
}
