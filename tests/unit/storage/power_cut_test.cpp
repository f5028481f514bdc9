// What is on the disk, not in the kernel's memory, when somebody is told that it is.

#include "storage/backup/backup_reader.hpp"
#include "storage/backup/restored_replica.hpp"
#include "storage/log/disk_thread.hpp"
#include "storage/log/state_store.hpp"
#include "test_replica.hpp"
#include "tests/power_cut/power_cut.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <rocksdb/write_batch.h>

using namespace novacron;
namespace fs = std::filesystem;

namespace {

const database_identity whose{{{1, 1}}, {{1, 2}}, 1, 0};

/// A machine's disk, and what a power cut leaves of it.
struct machine {
  scratch_folder all;
  fs::path disk = all / "disk";
  fs::path state = disk / "state";
  std::unique_ptr<power_cut> power = plug_in();
  std::atomic<uint64_t> cuts{0};

  std::unique_ptr<power_cut> plug_in() const {
    fs::create_directory(disk);
    return std::make_unique<power_cut>(disk);
  }
  /// The power goes and comes: where what is left of the disk is now.
  fs::path after_a_cut(power_cut::overwritten what = power_cut::overwritten::as_written) {
    auto left = all / std::to_string(++cuts);
    power->survivors(left, what);
    return left;
  }
  /// From now on after each sync, in both ways.
  void cut_after_each() {
    power->after_each([this] {
      after_a_cut();
      after_a_cut(power_cut::overwritten::before);
    });
  }
  [[nodiscard]] replica_config config() const { return test_config(state); }
  /// Of what the cut has left there.
  static replica_config config(const fs::path& left) { return test_config(left / "state"); }
};

size_t vms_in(replica& of) {
  awaited<bool> applied;
  of.read_barrier([&](const result<uint64_t>& x) { applied.set(x.has_value()); });
  REQUIRE(applied.get() == true);
  size_t vms = 0;
  for (const auto& record : list_all(of).first)
    vms += std::holds_alternative<vm_record>(record);
  return vms;
}

void fill(replica& one, uint64_t vms) {
  propose(one, {register_test_host(1)});
  for (uint64_t n = 0; n < vms; ++n)
    REQUIRE(propose(one, {create_test_vm(n)}).at(0).ok());
}

std::vector<log_entry> entries(size_t count, uint64_t term) {
  return std::vector<log_entry>(
      count, {term, entry_kind::command, std::make_shared<const log_entry::bytes>(10)});
}

} // namespace

TEST_CASE_FIXTURE(machine, "what was acknowledged outlives a power cut") {
  auto one = open_replica(config());
  fill(*one, 10);
  auto again = open_replica(config(after_a_cut()));
  CHECK(vms_in(*again) == 10);
}

TEST_CASE_FIXTURE(machine, "a vote that was given outlives a power cut") {
  auto db = database::open(state, whose).value();
  disk_thread thread{*db, {}, [](uint64_t, uint64_t) {}};
  thread.store_vote(7, 42);
  auto again = database::open(after_a_cut() / "state", whose).value();
  auto log = log_store{*again}.load(0).value();
  CHECK(log.term == 7);
  CHECK(log.vote == 42);
}

TEST_CASE_FIXTURE(machine, "whenever the power is cut, the log holds what was promised from it") {
  {
    auto db = database::open(state, whose).value();
    log_store store{*db};
    disk_thread thread{*db, {}, [](uint64_t, uint64_t) {}, [] {}};
    cut_after_each();
    uint64_t term = 0;
    auto and_wait = [&] { thread.store_vote(++term, 0); };
    thread.append(1, entries(9, 1));
    and_wait();
    thread.truncate(4);
    and_wait();
    thread.append(4, entries(5, 2));
    and_wait();
    thread.compact({6, 2, 1, log_entry::bytes(3)}, 4);
    and_wait();
    thread.install({7, 3, 1, log_entry::bytes(3)}, state_generation::odd, {7, {}, 1});
    and_wait();
    power->after_each({});
  }
  REQUIRE(cuts > 10);
  for (uint64_t n = 1; n <= cuts; ++n) {
    CAPTURE(n);
    auto again = database::open(all / std::to_string(n) / "state", whose);
    REQUIRE_MESSAGE(again.has_value(), again.error().message);
    auto log = log_store{**again}.load(state_store{**again}.mark().index);
    CHECK_MESSAGE(log.has_value(), log.error().message);
  }
}

TEST_CASE_FIXTURE(machine, "a folder is its node's from the first moment on") {
  auto db = database::open(state, whose).value();
  auto other = whose;
  other.node = {{1, 3}};
  auto refused = database::open(after_a_cut() / "state", other);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == storage_errc::foreign);
}

TEST_CASE_FIXTURE(machine, "that there is no room is seen though only a sync says so") {
  power->fill_up();
  fs::create_directory(state); // whose own name would have to be synced
  auto refused = database::open(state, whose);
  REQUIRE(!refused.has_value());
  CHECK_MESSAGE(refused.error().message.find("make room") != std::string::npos,
                refused.error().message);
  CHECK(fs::is_empty(state));
}

TEST_CASE_FIXTURE(machine, "a disk that was shown to the group is the same after a power cut") {
  auto joins = config();
  joins.join = true;
  auto one = open_replica(joins);
  joins.folder = config(after_a_cut()).folder;
  CHECK(open_replica(joins)->status().disk == one->status().disk);
}

TEST_CASE_FIXTURE(machine, "who founded the group is settled, though the power is cut at once") {
  auto founds = config();
  founds.founders = {test_node, {{0xa, 2}}, {{0xa, 3}}};
  auto one = open_replica(founds);
  CHECK(open_replica(config(after_a_cut()))->status().voters == 3);
}

TEST_CASE_FIXTURE(machine, "a recovery may be cut short at any moment, and then be done again") {
  fill(*open_replica(config()), 3);
  power = plug_in();
  cut_after_each();
  REQUIRE(begin_new_timeline(config(), {recover_cluster{test_node}, {}}).has_value());
  power->after_each({});
  const auto last = after_a_cut();
  REQUIRE(cuts > 5);
  auto done = look_into(config(last));
  REQUIRE_MESSAGE(done.has_value(), done.error().message);
  CHECK(done->timeline == 2);
  CHECK(done->last_index >= revision_jump);
  for (uint64_t n = 1; n <= cuts; ++n) {
    CAPTURE(n);
    auto again
        = begin_new_timeline(config(all / std::to_string(n)), {recover_cluster{test_node}, {}});
    CHECK_MESSAGE(again.has_value(), again.error().message);
  }
}

TEST_CASE_FIXTURE(machine, "a backup outlives a power cut, and so does what is restored from it") {
  auto one = open_replica(config());
  fill(*one, 5);
  auto made = one->back_up(disk / "backups", 3, {});
  REQUIRE_MESSAGE(made.has_value(), made.error().message);
  auto kept = backup_reader::open(after_a_cut() / "backups");
  REQUIRE_MESSAGE(kept.has_value(), kept.error().message);
  CHECK((*kept)->verify(made->number).has_value());

  auto restored = test_config(disk / "restored");
  REQUIRE(restore_replica(**kept, made->number, restored, {recover_cluster{test_node}, {}})
              .has_value());
  auto again = test_config(after_a_cut() / "restored");
  again.timeline = 0;
  CHECK(vms_in(*open_replica(again)) == 5);
}
