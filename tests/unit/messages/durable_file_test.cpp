#include "messages/durable_file.hpp"
#include "tests/power_cut/power_cut.hpp"

#include <cerrno>
#include <doctest/doctest.h>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

using namespace novacron;
namespace fs = std::filesystem;

namespace {

struct machine {
  fs::path all = fresh_folder();
  fs::path disk = all / "disk";
  std::unique_ptr<power_cut> power;
  int cuts = 0;

  machine() {
    fs::create_directory(disk);
    power = std::make_unique<power_cut>(disk);
  }
  ~machine() { fs::remove_all(all); }

  static fs::path fresh_folder() {
    auto name = (fs::temp_directory_path() / "durable.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }
  /// What the file `mark` holds after a power cut; nothing: it isn't there.
  std::optional<std::string> left() {
    const auto to = all / std::to_string(++cuts);
    power->survivors(to);
    if (!fs::exists(to / "mark"))
      return std::nullopt;
    std::ifstream in{to / "mark"};
    return std::string{std::istreambuf_iterator<char>{in}, {}};
  }
};

} // namespace

TEST_CASE_FIXTURE(machine, "without a sync a power cut takes what was written, and its name") {
  std::ofstream{disk / "mark"} << "written";
  CHECK(!left());
  REQUIRE(sync_folder(disk));
  CHECK(left() == "");
  REQUIRE(make_durable_file(disk / "other", "x", 0600));
  CHECK(left() == "");
}

TEST_CASE_FIXTURE(machine,
                  "a durable file outlives a power cut with its name and all that it holds") {
  REQUIRE(make_durable_file(disk / "mark", "made", 0600));
  CHECK(left() == "made");
  CHECK(fs::status(disk / "mark").permissions()
        == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE_FIXTURE(machine, "a durable file is never made over another one") {
  REQUIRE(make_durable_file(disk / "mark", "made", 0600));
  CHECK(!make_durable_file(disk / "mark", "again", 0600));
  CHECK(errno == EEXIST);
  CHECK(left() == "made");
  CHECK(!make_durable_file(disk / "gone" / "mark", "x", 0600));
  CHECK(errno == ENOENT);
}

TEST_CASE_FIXTURE(machine, "of a durable file that couldn't be synced nothing is there") {
  REQUIRE(replace_durable_file(disk / "mark", "old", 0644));
  power->fill_up();
  CHECK(!make_durable_file(disk / "other", "x", 0600));
  CHECK(errno == ENOSPC);
  CHECK(!fs::exists(disk / "other"));
  CHECK(!replace_durable_file(disk / "mark", "new", 0644));
  CHECK(left() == "old");
}

TEST_CASE_FIXTURE(machine,
                  "whenever the power is cut, the old file or the whole new one is there") {
  REQUIRE(replace_durable_file(disk / "mark", "old", 0644));
  CHECK(left() == "old");
  std::vector<std::optional<std::string>> seen;
  power->after_each([&] { seen.push_back(left()); });
  REQUIRE(replace_durable_file(disk / "mark", "new", 0644));
  power->after_each({});
  CHECK(seen == std::vector<std::optional<std::string>>{"old", "new"});
  CHECK(left() == "new");
}
