#include "actor_return.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron::chaos;
using namespace std::chrono_literals;

namespace {

const std::string vm_path = "node-4/guests/vm-1";

/// What is seen of `vm_path` two seconds after its kill, when node-4 shows these actors.
actor_sight seen(const std::string& actors, const std::string& cursor = "null",
                 const std::string& reachable = "true") {
  const auto answer = boost::json::parse(
      R"({"nodes": [{"name": "node-4", "reachable": )" + reachable + R"(, "actors": [)" + actors
      + R"(], "next_cursor": )" + cursor + R"(}], "left_out": 0})");
  return look_for_actor(answer, vm_path, 2s);
}

std::string actor(const std::string& path, const std::string& state, const std::string& up) {
  return R"({"path": ")" + path + R"(", "state": ")" + state + R"(", "up_seconds": )" + up + '}';
}

} // namespace

TEST_CASE("an actor is back when it runs and began after its kill") {
  CHECK(seen(actor(vm_path, "running", "1.9")) == actor_sight::back);
  CHECK(seen(actor(vm_path, "running", "2.1")) == actor_sight::not_yet);
  CHECK(seen(actor(vm_path, "restarting", "0")) == actor_sight::not_yet);
  CHECK(seen(actor(vm_path, "ended", "0")) == actor_sight::not_yet);
}

TEST_CASE("another actor's return is not this one's") {
  CHECK(seen(actor("node-4/guests/vm-11", "running", "1")) == actor_sight::absent);
  CHECK(seen(actor("node-4/guests/vm-11", "running", "1") + ", " + actor(vm_path, "running", "9"))
        == actor_sight::not_yet);
}

TEST_CASE("an actor is missed only where its supervisor shows all of its children") {
  CHECK(seen("") == actor_sight::absent);
  CHECK(seen("", R"("150")") == actor_sight::not_yet);
  CHECK(seen("", "null", "false") == actor_sight::not_yet);
  CHECK(look_for_actor(boost::json::parse(R"({"nodes": []})"), vm_path, 2s)
        == actor_sight::not_yet);
}
