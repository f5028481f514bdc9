#include "hypervisor/console/console_watch.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

class folder {
public:
  folder() { REQUIRE(::mkdtemp(name_) != nullptr); }
  ~folder() { std::filesystem::remove_all(name_); }
  std::filesystem::path operator/(const char* file) const {
    return std::filesystem::path{name_} / file;
  }

private:
  char name_[32] = "/tmp/nova-console-XXXXXX";
};

void append(const std::filesystem::path& log, const std::string& text) {
  std::ofstream{log, std::ios::app} << text;
}

} // namespace

TEST_CASE("a tick that begins in one log and ends in the next is one tick") {
  folder logs;
  console_watch console{{logs / "a", logs / "b"}};
  append(logs / "a", "TICK 1 0.1 mem=ok 00\nTICK 2 0.2 me");
  REQUIRE(console.wait_until([](const auto& x) { return x.ticks == 1; }, 5s));
  append(logs / "b", "m=ok 00\nTICK 3 0.3 mem=ok 00\n");
  REQUIRE(console.wait_until([](const auto& x) { return x.latest == 3; }, 5s));
  CHECK(console.summary().ticks == 3);
  CHECK(console.summary().malformed == 0);
  append(logs / "a", "TICK 4 0.4 mem=BAD 00\n");
  REQUIRE(console.wait_for_ticks(1, 5s));
  CHECK(console.summary().missing == 0);
  CHECK(!console.summary().memory_ok);
}

TEST_CASE("a console without line ends does not fill our memory") {
  folder logs;
  console_watch console{{logs / "a"}};
  append(logs / "a", std::string(4'096, 'x') + "TICK 1 0.1 mem=ok 00\n");
  CHECK(console.wait_until([](const auto& x) { return x.ticks == 1; }, 5s));
}
