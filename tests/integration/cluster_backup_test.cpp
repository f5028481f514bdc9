#include "cluster_lab.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>

// The drill: the only controller loses its disk, and the cluster goes on from a backup.

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

constexpr auto backup_limit = 40s;
constexpr auto command_limit = 60s;

struct backup_lab : cluster_lab {
  backup_lab() : cluster_lab{true} { start_all(); }

  [[nodiscard]] std::string backup_setting() const {
    return "controller.backup.folder=" + (folder() / "backups").string();
  }
  /// Node 1's, once it is there.
  [[nodiscard]] std::optional<fs::path> backups() const {
    std::error_code none;
    for (const auto& each : fs::directory_iterator{folder() / "backups", none})
      return each.path();
    return {};
  }

  struct answer {
    std::string status;
    std::string text;
  };
  /// Runs `novacron backup …` to its end.
  [[nodiscard]] answer backup(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "backup");
    const auto output = folder() / "command.out";
    fs::remove(output);
    auto child = child_process::start({NOVACRON_PROGRAM, std::move(arguments), output});
    REQUIRE(child.has_value());
    REQUIRE(child->wait(command_limit));
    std::ifstream in{output};
    return {child->ending(), {std::istreambuf_iterator<char>{in}, {}}};
  }
  [[nodiscard]] size_t count_backups() const {
    const auto where = backups();
    if (!where)
      return 0;
    const auto listed = backup({"ls", "--from", where->string(), "-o", "json"});
    return listed.status == "status 0" ? boost::json::parse(listed.text).as_array().size() : 0;
  }
  /// With the settings that node 1 is started with.
  [[nodiscard]] answer restore(bool sure) const {
    std::vector<std::string> arguments{"restore", "--from", backups()->string()};
    const auto as_started = command_of(1).arguments; // node --config … --folder … --set …
    arguments.insert(arguments.end(), as_started.begin() + 1, as_started.end());
    if (sure)
      arguments.emplace_back("--yes-go-back");
    return backup(std::move(arguments));
  }

  std::string create(const std::string& name) const {
    const auto made = insist("POST", "/api/v1/vms", vm_body(name, 16), name);
    REQUIRE_MESSAGE(made.status == 201, boost::json::serialize(made.body));
    return field_text(made.body, "id");
  }
  [[nodiscard]] double timeline() const {
    return field_number(insist("GET", "/api/v1/cluster", {}, {}).body, "timeline");
  }
  [[nodiscard]] size_t count_named(const std::string& name) const {
    size_t count = 0;
    for (const auto& vm : list("vms"))
      count += field_text(vm, "name") == name ? 1 : 0;
    return count;
  }
};

} // namespace

TEST_CASE_FIXTURE(backup_lab,
                  "a controller that lost its disk goes on from a backup, guests run on") {
  const auto runs = create("runs");
  CHECK(end_of(insist("POST", "/api/v1/vms/" + runs + "/start", {}, "start")) == "succeeded");
  for (int i = 0; i < 10; ++i)
    create("kept-" + std::to_string(i));
  process(1).signal(SIGTERM);
  REQUIRE(process(1).wait(20s));
  start(1, {backup_setting()});
  REQUIRE_MESSAGE(becomes_true(backup_limit, [&] { return count_backups() > 0; }), end_of_log(1));
  const auto verified = backup({"verify", "--from", backups()->string()});
  CHECK_MESSAGE(verified.status == "status 0", verified.text);
  create("too-late");
  const auto before = timeline();

  kill(1);
  fs::remove_all(folder() / "node-1" / "storage");
  const auto warned = restore(false);
  CHECK(warned.status == "status 2");
  CHECK_MESSAGE(warned.text.find("--yes-go-back") != std::string::npos, warned.text);
  CHECK(!fs::exists(folder() / "node-1" / "storage"));
  const auto restored = restore(true);
  REQUIRE_MESSAGE(restored.status == "status 0", restored.text);

  start(1);
  REQUIRE_MESSAGE(await_hosts(3), end_of_log(1));
  for (int i = 0; i < 10; ++i)
    CHECK(count_named("kept-" + std::to_string(i)) == 1);
  CHECK(count_named("too-late") == 0);
  CHECK(await_vm(runs, "actual", "running"));
  CHECK(timeline() == before + 1);
  const auto next = create("next");
  CHECK(end_of(insist("POST", "/api/v1/vms/" + next + "/start", {}, "start-next")) == "succeeded");
  CHECK(end_of(insist("POST", "/api/v1/vms/" + runs + "/stop", {}, "stop")) == "succeeded");
}
