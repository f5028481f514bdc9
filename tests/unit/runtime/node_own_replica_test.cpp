#include "runtime/node/own_replica.hpp"
#include "tests/becomes_true.hpp"

#include <doctest/doctest.h>
#include <fstream>

using namespace novacron;

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A controller in a folder of its own.
struct controller {
  node_config config;

  controller() {
    auto name = (fs::temp_directory_path() / "own-replica.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    config.state = name;
    config.id = {{0, 1}};
    config.cluster = {{0, 9}};
  }
  ~controller() { fs::remove_all(config.state); }

  void found_with(const std::string& ids) {
    config.controller.founders = config.state / "founders";
    std::ofstream{config.controller.founders} << ids;
  }
  void lose_disk() const { fs::remove_all(replica_folder(config.state)); }
  [[nodiscard]] result<std::unique_ptr<replica>> open() const {
    return open_own_replica(config, {});
  }
};

} // namespace

TEST_CASE_FIXTURE(controller,
                  "a lone controller begins, goes on, and won't begin again with nothing") {
  {
    auto first = open();
    REQUIRE(first.has_value());
    CHECK(becomes_true(10s, [&] { return (*first)->status().leader; }));
  }
  REQUIRE(open().has_value());
  lose_disk();
  auto again = open();
  REQUIRE(!again.has_value());
  CHECK(again.error().message.find("restore a backup") != std::string::npos);
}

TEST_CASE_FIXTURE(controller, "the cluster's state can be read by the node's user only") {
  fs::create_directory(replica_folder(config.state));
  fs::permissions(replica_folder(config.state), fs::perms{0755});
  REQUIRE(open().has_value());
  CHECK(fs::status(replica_folder(config.state)).permissions() == fs::perms::owner_all);
}

TEST_CASE_FIXTURE(
    controller, "a founder whose disk is emptied between two openings joins, and founds no more") {
  found_with(to_string(uuid{0, 1}) + '\n' + to_string(uuid{0, 2}) + '\n' + to_string(uuid{0, 3})
             + '\n');
  {
    auto founder = open();
    REQUIRE(founder.has_value());
    CHECK((*founder)->status().members.size() == 3);
  }
  lose_disk();
  auto emptied = open();
  REQUIRE(emptied.has_value());
  CHECK((*emptied)->status().members.empty());
}
