#include "storage/log/database.hpp"
#include "test_replica.hpp"

#include <atomic>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <random>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <set>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

extern char** environ;

using namespace novacron;

namespace {

constexpr int acknowledged_fd = 3;
constexpr uint64_t most_per_child = 100'000;

/// A process of its own that writes until it dies: this program again, with the
/// case below. Forking alone won't do: RocksDB's threads would be missing.
class writer_process {
public:
  writer_process(const std::filesystem::path& folder, uint64_t first,
                 uint64_t most_file_bytes = 0) {
    int acknowledged[2];
    int errors[2];
    REQUIRE(::pipe2(acknowledged, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(errors, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, acknowledged[1], acknowledged_fd);
    posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    std::vector<std::string> settings{"WRITER_FOLDER=" + folder.string(),
                                      "WRITER_FIRST=" + std::to_string(first),
                                      "WRITER_FILE_BYTES=" + std::to_string(most_file_bytes)};
    std::vector<char*> environment;
    for (auto& each : settings)
      environment.push_back(each.data());
    for (auto each = environ; *each; ++each)
      environment.push_back(*each);
    environment.push_back(nullptr);
    std::string program = "/proc/self/exe";
    std::string test = "--test-case=(the writer of the crash tests)";
    std::string no_skip = "--no-skip";
    char* arguments[] = {program.data(), test.data(), no_skip.data(), nullptr};
    REQUIRE(::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environment.data())
            == 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(acknowledged[1]);
    ::close(errors[1]);
    acknowledged_ = acknowledged[0];
    errors_ = errors[0];
  }

  ~writer_process() {
    if (pid_ > 0)
      kill_and_wait();
    ::close(acknowledged_);
    ::close(errors_);
  }
  writer_process(const writer_process&) = delete;
  writer_process& operator=(const writer_process&) = delete;

  /// The next number that the writer got acknowledged; nothing at its end.
  std::optional<uint64_t> next() {
    uint64_t n = 0;
    if (::read(acknowledged_, &n, sizeof(n)) != static_cast<ssize_t>(sizeof(n)))
      return {};
    return n;
  }

  /// The wait status.
  int kill_and_wait() {
    ::kill(pid_, SIGKILL);
    return wait();
  }

  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

  std::string errors() {
    std::string all;
    char buffer[512];
    for (ssize_t n; (n = ::read(errors_, buffer, sizeof(buffer))) > 0;)
      all.append(buffer, static_cast<size_t>(n));
    return all;
  }

private:
  pid_t pid_ = -1;
  int acknowledged_ = -1;
  int errors_ = -1;
};

uint64_t number_from(const char* name) {
  auto text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : 0;
}

std::set<vm_id> vms_in(replica& of) {
  std::set<vm_id> all;
  for (const auto& each : list_all(of).first)
    if (auto vm = std::get_if<vm_record>(&each))
      all.insert(vm->id);
  return all;
}

/// Every change since the beginning, replayed.
std::set<vm_id> vms_fed(replica& of) {
  std::set<vm_id> all;
  pull_request request;
  request.limit_bytes = 1u << 20;
  for (;;) {
    auto page = of.changes_after(request).value();
    REQUIRE_FALSE(page.too_old);
    for (const auto& each : page.changes)
      if (auto vm = std::get_if<vm_record>(&each.record))
        all.insert(vm->id);
    if (page.revision <= request.after)
      return all;
    request.after = page.revision;
  }
}

void wait_until_applied(replica& of) {
  awaited<bool> applied;
  of.read_barrier([&](result<uint64_t> x) { applied.set(x.has_value()); });
  REQUIRE(applied.get() == true);
}

} // namespace

TEST_CASE("(the writer of the crash tests)" * doctest::skip()) {
  const auto folder = std::getenv("WRITER_FOLDER");
  if (!folder)
    return;
  if (auto limit = number_from("WRITER_FILE_BYTES"); limit != 0) {
    ::signal(SIGXFSZ, SIG_IGN); // the write fails instead, as on a full disk
    const rlimit files{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &files);
  }
  auto config = test_config(folder);
  auto one = replica::open(config);
  if (!one)
    std::_Exit(9);
  (*one)->propose({register_test_host(1)}, [](auto&&) {});
  const auto first = number_from("WRITER_FIRST");
  std::atomic<uint64_t> outstanding{0};
  for (uint64_t n = first; n < first + most_per_child; ++n) {
    while (outstanding >= 16)
      std::this_thread::yield();
    ++outstanding;
    (*one)->propose({create_test_vm(n)}, [&, n](std::vector<command_outcome> outcomes) {
      if (outcomes.at(0).ok()) [[maybe_unused]]
        auto written = ::write(acknowledged_fd, &n, sizeof(n));
      --outstanding;
    });
  }
}

TEST_CASE("every acknowledged command is there after SIGKILL, twenty times over") {
  scratch_folder folder;
  std::mt19937 random{20};
  std::set<vm_id> acknowledged;
  for (uint64_t round = 0; round < 20; ++round) {
    CAPTURE(round);
    {
      writer_process writer{folder.path(), round * most_per_child};
      const auto enough = random() % 60;
      for (uint64_t n = 0; n < enough; ++n) {
        auto next = writer.next();
        REQUIRE_MESSAGE(next, "the writer died: " << writer.errors());
        acknowledged.insert(test_vm(*next));
      }
      writer.kill_and_wait();
      while (auto next = writer.next())
        acknowledged.insert(test_vm(*next));
    }
    auto one = open_replica(test_config(folder.path()));
    wait_until_applied(*one);
    const auto found = vms_in(*one);
    for (const auto& id : acknowledged)
      REQUIRE_MESSAGE(found.contains(id), "lost: " << to_string(id));
    REQUIRE(vms_fed(*one) == found);
  }
  CHECK(acknowledged.size() > 200);
}

TEST_CASE("(a write that is refused)" * doctest::skip()) {
  const auto folder = std::getenv("REFUSED_FOLDER");
  if (!folder)
    return;
  const database_identity whose{{{1, 1}}, {{1, 2}}, 1, 0};
  auto db = database::open(std::filesystem::path{folder} / "one", whose).value();
  auto other = database::open(std::filesystem::path{folder} / "other", whose).value();
  rocksdb::ColumnFamilyHandle* unknown = nullptr;
  REQUIRE(other->rocks().CreateColumnFamily({}, "unknown", &unknown).ok());
  rocksdb::WriteBatch batch;
  batch.Put(unknown, "key", "value");
  db->write(batch, database::durability::buffered);
  std::_Exit(0);
}

TEST_CASE("the first write that is refused, for whatever reason, ends the process") {
  scratch_folder folder;
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  const auto status
      = std::system(("REFUSED_FOLDER='" + folder.path().string() + "' '" + self.string()
                     + "' --test-case='(a write that is refused)' --no-skip "
                       ">/dev/null 2>&1")
                        .c_str());
  CHECK(WEXITSTATUS(status) == disk_failure_status);
}

TEST_CASE("a full disk ends the process with a clear line, and nothing acknowledged is lost") {
  scratch_folder folder;
  std::set<vm_id> acknowledged;
  {
    writer_process writer{folder.path(), 0, 1'300'000}; // what opening needs, and a little more
    while (auto next = writer.next())
      acknowledged.insert(test_vm(*next));
    const auto status = writer.wait();
    const auto line = writer.errors();
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == disk_failure_status);
    CHECK(line.find("novacron: storage: cannot go on with " + folder.path().string()) == 0);
    CHECK(line.find("free or replace the disk") != std::string::npos);
    CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  }
  CHECK(acknowledged.size() > 50);
  auto one = open_replica(test_config(folder.path()));
  wait_until_applied(*one);
  const auto found = vms_in(*one);
  for (const auto& id : acknowledged)
    REQUIRE(found.contains(id));
}
