#include "hypervisor/fencer/deadline_file.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <unistd.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

struct folder {
  folder() {
    char name[] = "/tmp/novacron-deadline-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~folder() { std::filesystem::remove_all(path); }
  void put(const std::string& text) const { std::ofstream{path / "deadline"} << text; }
  [[nodiscard]] deadline_file file(const std::string& boot) const {
    return {path / "deadline", boot};
  }

  std::filesystem::path path;
};

} // namespace

TEST_CASE("a deadline is found again in the same boot, and only there") {
  folder here;
  CHECK_FALSE(here.file("boot-1").read().has_value());
  REQUIRE(here.file("boot-1").write(5s));
  REQUIRE(here.file("boot-1").write(7s + 1ns));
  CHECK(here.file("boot-1").read() == 7s + 1ns);
  CHECK_FALSE(here.file("boot-2").read().has_value());
}

TEST_CASE("a deadline file that makes no sense counts as a deadline that has passed") {
  folder here;
  for (const auto* text : {"", "boot-1", "boot-1 ", "boot-1 \n", "boot-1 12", "boot-1 12x\n",
                           "boot-1 -5\n", "boot-1 99999999999999999999\n"}) {
    CAPTURE(text);
    here.put(text);
    CHECK(here.file("boot-1").read() == 0ns);
  }
  std::filesystem::remove(here.path / "deadline");
  std::filesystem::create_directory(here.path / "deadline");
  CHECK(here.file("boot-1").read() == 0ns);
}

TEST_CASE("a deadline that can't be written leaves the old one standing") {
  folder here;
  REQUIRE(here.file("boot-1").write(5s));
  std::filesystem::create_directory(here.path / "deadline.new");
  CHECK_FALSE(here.file("boot-1").write(9s));
  CHECK(here.file("boot-1").read() == 5s);
}

TEST_CASE("the boot's id and time are this machine's") {
  CHECK(current_boot().size() == 36);
  auto before = boot_time();
  CHECK(before > 0s);
  CHECK(boot_time() >= before);
}
