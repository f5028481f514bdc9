#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/watchdog_device.hpp"
#include "watchdog_stand_in.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

class folder {
public:
  folder() {
    char name[] = "/tmp/novacron-watchdog-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~folder() { fs::remove_all(path_); }

  /// A new, empty file.
  [[nodiscard]] fs::path file(const std::string& name) const {
    std::ofstream{path_ / name};
    return path_ / name;
  }

private:
  fs::path path_;
};

std::string complaint(const fs::path& device) {
  auto opened = open_watchdog(device);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == hypervisor_errc::refused);
  const auto& text = opened.error().message;
  CHECK(text.find("can't use the watchdog " + device.native()) == 0);
  CHECK(text.find("host.watchdog") != std::string::npos);
  CHECK(text.find('\n') == std::string::npos);
  return text;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a watchdog takes timeouts and pets, and is disarmed by the magic close only") {
  const folder here;
  const auto file = here.file("a.watchdog");
  {
    auto device = open_watchdog(file);
    REQUIRE(device.has_value());
    auto set = (*device)->set_timeout(6s);
    REQUIRE(set.has_value());
    CHECK(*set == 6s);
    CHECK((*device)->pet().has_value());
  }
  REQUIRE(pets_of(file).size() == 2);
  CHECK(pets_of(file).back().timeout == 6s);
  CHECK_FALSE(disarmed(file));
  auto again = open_watchdog(file);
  REQUIRE(again.has_value());
  CHECK((*again)->pet().has_value());
  CHECK((*again)->disarm().has_value());
  CHECK(disarmed(file));
}

TEST_CASE("a timeout that a watchdog doesn't know is refused, with what to do") {
  const folder here;
  auto device = open_watchdog(here.file("least-4.watchdog"));
  REQUIRE(device.has_value());
  auto set = (*device)->set_timeout(3s);
  REQUIRE_FALSE(set.has_value());
  CHECK(holds(set.error().message, "a timeout of 3 s is refused"));
  CHECK(holds(set.error().message, "raise lease.term_ms"));
}

TEST_CASE("what isn't there, or is no watchdog, is refused, and nothing is written to it") {
  const folder here;
  CHECK(holds(complaint("/nonexistent/watchdog"), "load its driver"));
  const auto plain = here.file("plain");
  CHECK(holds(complaint(plain), "it is none: "));
  CHECK(fs::file_size(plain) == 0);
  const auto fifo = here.file("x").parent_path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  complaint(fifo); // and doesn't wait for a reader
}

TEST_CASE("a watchdog that would stop with the fencer, or has one timeout, is refused, disarmed") {
  const folder here;
  const auto careless = here.file("careless.watchdog");
  CHECK(holds(complaint(careless), "it would stop when the fencer dies"));
  CHECK(disarmed(careless));
  const auto fixed = here.file("fixed.watchdog");
  CHECK(holds(complaint(fixed), "its timeout can't be set"));
  CHECK(disarmed(fixed));
}

TEST_CASE("programs that the fencer becomes don't hold the watchdog") {
  const folder here;
  const auto file = here.file("a.watchdog");
  auto device = open_watchdog(file);
  REQUIRE(device.has_value());
  int found = 0;
  for (const auto& each : fs::directory_iterator{"/proc/self/fd"}) {
    std::error_code error;
    if (fs::read_symlink(each.path(), error) != file)
      continue;
    ++found;
    CHECK((::fcntl(std::stoi(each.path().filename()), F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(found == 1);
}
