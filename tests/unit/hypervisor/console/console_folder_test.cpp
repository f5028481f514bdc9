#include "hypervisor/console/console_folder.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

constexpr uint64_t mebibyte = 1 << 20;
constexpr console_bounds one_mebibyte{mebibyte, 24h};

/// A folder of consoles, and a VM with one of four mebibytes, each with a number of its own.
struct consoles {
  fs::path folder;
  vm_id vm{{7, 9}};

  consoles() {
    auto name = (fs::temp_directory_path() / "consoles.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    std::ofstream out{log()};
    for (char number : {'0', '1', '2', '3'})
      out << std::string(mebibyte, number);
  }
  ~consoles() { fs::remove_all(folder); }

  [[nodiscard]] fs::path log() const { return folder / (to_string(vm) + ".log"); }
  [[nodiscard]] uint64_t on_disk() const {
    struct stat facts {};
    REQUIRE(::stat(log().c_str(), &facts) == 0);
    return static_cast<uint64_t>(facts.st_blocks) * 512;
  }
  void touch(std::chrono::hours ago) const {
    fs::last_write_time(log(), fs::file_time_type::clock::now() - ago);
  }
};

bool everywhere(vm_id) {
  return true;
}
bool nowhere(vm_id) {
  return false;
}

} // namespace

TEST_CASE_FIXTURE(consoles,
                  "a console that is too long keeps its end and its length, not its room") {
  REQUIRE(on_disk() >= 4 * mebibyte);
  std::ofstream appending{log(), std::ios::app};
  REQUIRE(sweep_consoles(folder, everywhere, one_mebibyte).has_value());
  CHECK(on_disk() <= mebibyte + 64 * 1024);
  CHECK(fs::file_size(log()) == 4 * mebibyte);
  appending << "more" << std::flush;
  std::ifstream in{log()};
  std::string all{std::istreambuf_iterator<char>{in}, {}};
  CHECK(all.substr(0, 3 * mebibyte) == std::string(3 * mebibyte, '\0'));
  CHECK(all.substr(3 * mebibyte) == std::string(mebibyte, '3') + "more");
}

TEST_CASE_FIXTURE(consoles, "a console within its bounds is left alone") {
  REQUIRE(sweep_consoles(folder, everywhere, {4 * mebibyte, 24h}).has_value());
  std::ifstream in{log()};
  CHECK(in.get() == '0');
}

TEST_CASE_FIXTURE(consoles, "the console of a VM that has left goes a day after its last word") {
  touch(23h);
  REQUIRE(sweep_consoles(folder, nowhere).has_value());
  CHECK(fs::exists(log()));
  touch(25h);
  REQUIRE(sweep_consoles(folder, everywhere).has_value());
  CHECK(fs::exists(log()));
  REQUIRE(sweep_consoles(folder, nowhere).has_value());
  CHECK(!fs::exists(log()));
}

TEST_CASE_FIXTURE(consoles, "what isn't a console stays") {
  const auto other = folder / "notes.log";
  std::ofstream{other} << std::string(2 * mebibyte, 'x');
  fs::last_write_time(other, fs::file_time_type::clock::now() - 48h);
  const auto linked = folder / (to_string(uuid{1, 1}) + ".log");
  fs::create_symlink(other, linked);
  const timespec long_ago[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, linked.c_str(), long_ago, AT_SYMLINK_NOFOLLOW) == 0);
  REQUIRE(sweep_consoles(folder, nowhere, one_mebibyte).has_value());
  CHECK(fs::is_symlink(linked));
  CHECK(std::ifstream{other}.get() == 'x');
}

TEST_CASE_FIXTURE(consoles,
                  "a folder that no guest has made yet is no fault, one that can't be read is") {
  CHECK(sweep_consoles(folder / "none", everywhere).has_value());
  auto outcome = sweep_consoles(log(), everywhere);
  REQUIRE(!outcome.has_value());
  CHECK(outcome.error().message.find(log().string()) != std::string::npos);
}
