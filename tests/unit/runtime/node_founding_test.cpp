#include "runtime/node/founding.hpp"
#include "tests/power_cut/power_cut.hpp"

#include <doctest/doctest.h>
#include <fstream>

using namespace novacron;

namespace {

namespace fs = std::filesystem;

const node_id first{{0, 1}};
const node_id second{{0, 2}};
const node_id third{{0, 3}};
const std::vector<node_id> three{first, second, third};

founding decided(node_id self, const std::vector<node_id>& founders, const replica_past& past) {
  auto begins = decide_founding(self, founders, past);
  REQUIRE(begins.has_value());
  return *begins;
}

struct state_folder {
  fs::path path;

  state_folder() {
    auto name = (fs::temp_directory_path() / "founding.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~state_folder() { fs::remove_all(path); }
};

} // namespace

TEST_CASE("a founder that never began founds") {
  CHECK(decided(second, three, {}) == founding{three, false});
}

TEST_CASE("a node that isn't a founder joins") {
  CHECK(decided({{0, 9}}, three, {}) == founding{{}, true});
}

TEST_CASE("a founder whose folder was emptied joins, and does not found again") {
  CHECK(decided(second, three, {.begun = true, .empty = true}) == founding{{}, true});
}

TEST_CASE("a node alone whose folder was emptied does not begin with nothing") {
  CHECK(decided(first, {}, {}) == founding{});
  auto again = decide_founding(first, {}, {.begun = true, .empty = true});
  REQUIRE(!again);
  CHECK(again.error().message.find("restore a backup") != std::string::npos);
  CHECK(!decide_founding(first, {first}, {.begun = true, .empty = true}));
}

TEST_CASE("what has begun is remembered beside the folder that may be emptied") {
  state_folder state;
  CHECK(past_of(state.path) == replica_past{});
  fs::create_directory(replica_folder(state.path));
  std::ofstream{replica_folder(state.path) / "CURRENT"} << "x";
  REQUIRE(remember_beginning(state.path).has_value());
  REQUIRE(remember_beginning(state.path).has_value());
  CHECK(past_of(state.path) == replica_past{.begun = true, .empty = false});
  fs::remove_all(replica_folder(state.path));
  CHECK(past_of(state.path) == replica_past{.begun = true, .empty = true});
}

TEST_CASE("what can't be looked at of a replica's past is taken to be there") {
  state_folder state;
  fs::create_symlink("storage-begun", state.path / "storage-begun"); // leads to itself
  fs::create_symlink("storage", replica_folder(state.path));
  CHECK(past_of(state.path) == replica_past{.begun = true, .empty = false});
}

TEST_CASE("that a replica has begun is remembered though the power is cut") {
  state_folder state;
  state_folder left;
  power_cut power{state.path};
  REQUIRE(remember_beginning(state.path).has_value());
  power.survivors(left.path / "state");
  CHECK(past_of(left.path / "state").begun);
}

TEST_CASE("the founders' file names each node once") {
  const auto text = to_string(first) + " node-1\n" + to_string(second) + "\n";
  auto read = parse_founders(text);
  REQUIRE(read.has_value());
  CHECK(*read == std::vector{first, second});
  CHECK(!parse_founders(""));
  CHECK(!parse_founders("node-1 " + to_string(first) + "\n"));
  CHECK(!parse_founders(text + to_string(first) + " node-3\n"));
}
