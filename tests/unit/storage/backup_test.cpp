#include "storage/backup/backup_reader.hpp"
#include "storage/backup/backup_writer.hpp"
#include "storage/backup/restored_replica.hpp"
#include "storage/log/state_store.hpp"
#include "tests/unit/storage/test_replica.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <fstream>

using namespace novacron;

namespace {

namespace fs = std::filesystem;

/// A replica that lives and one folder of backups of it.
struct backed_up {
  scratch_folder folder;
  replica_config config = test_config(folder / "state");
  std::unique_ptr<replica> one = open_replica(config);
  fs::path kept = folder / "backups";
  uint64_t vms = 0;

  backed_up() { propose(*one, {register_test_host(1)}); }

  void create(uint64_t count) {
    for (uint64_t n = 0; n < count; ++n)
      REQUIRE(propose(*one, {create_test_vm(vms++)}).at(0).ok());
  }
  backup_info back_up() {
    auto made = one->back_up(kept, 100, {});
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    return *made;
  }
  [[nodiscard]] std::unique_ptr<backup_reader> kept_ones() const {
    return backup_reader::open(kept).value();
  }
  /// The state that a restored folder holds.
  [[nodiscard]] std::vector<any_record> records_in(const fs::path& restored) const {
    auto db = database::open(restored, {config.cluster, config.node}).value();
    cluster_state state;
    REQUIRE(state_store{*db}.load(state).has_value());
    return state.records();
  }
  /// What all of them take.
  [[nodiscard]] uintmax_t on_disk() const {
    uintmax_t bytes = 0;
    for (const auto& file : fs::recursive_directory_iterator{kept})
      if (file.is_regular_file())
        bytes += file.file_size();
    return bytes;
  }
  /// Changes one byte in the middle of the greatest file of the backups.
  void flip_a_byte() const {
    fs::path greatest;
    uintmax_t size = 0;
    for (const auto& file : fs::recursive_directory_iterator{kept})
      if (file.is_regular_file() && file.file_size() >= size) {
        greatest = file.path();
        size = file.file_size();
      }
    std::fstream in{greatest, std::ios::in | std::ios::out | std::ios::binary};
    in.seekg(static_cast<std::streamoff>(size / 2));
    const auto before = static_cast<char>(in.get());
    in.seekp(static_cast<std::streamoff>(size / 2));
    in.put(static_cast<char>(before ^ 1));
  }
};

} // namespace

TEST_CASE_FIXTURE(backed_up,
                  "a backup holds what was acknowledged before it, and says of what it is") {
  create(30);
  const auto before = list_all(*one).first;
  const auto revision = one->status().applied_index;
  const auto made = back_up();
  create(5);
  CHECK(made.cluster == config.cluster);
  CHECK(made.node == config.node);
  CHECK(made.timeline == config.timeline);
  CHECK(made.revision == revision);
  CHECK(made.bytes > 0);
  CHECK(kept_ones()->list() == std::vector{made});
  CHECK(kept_ones()->restore(made.number, folder / "restored").value() == made);
  CHECK(records_in(folder / "restored") == before);
}

TEST_CASE_FIXTURE(backed_up, "each backup is whole, though it shares what didn't change") {
  create(200);
  back_up();
  // Once RocksDB has written again what the flush had left.
  CHECK(eventually([&] {
    const auto before = on_disk();
    const auto next = back_up();
    return on_disk() - before < next.bytes / 2;
  }));
  create(1);
  const auto after = list_all(*one).first;
  const auto last = back_up();
  REQUIRE(backup_writer::open(kept).value()->keep_newest(1).has_value());
  CHECK(kept_ones()->list() == std::vector{last});
  REQUIRE(kept_ones()->restore(last.number, folder / "restored").has_value());
  CHECK(records_in(folder / "restored") == after);
}

TEST_CASE_FIXTURE(backed_up, "no more backups are kept than asked for, the newest ones") {
  for (uint64_t n = 0; n < 4; ++n) {
    create(1);
    REQUIRE(one->back_up(kept, 2, {}).has_value());
  }
  const auto left = kept_ones()->list();
  REQUIRE(left.size() == 2);
  CHECK(left[0].number == 3);
  CHECK(left[1].number == 4);
}

TEST_CASE_FIXTURE(backed_up,
                  "a byte that changed on the backups' disk is found, and nothing is restored") {
  create(30);
  const auto made = back_up();
  REQUIRE(kept_ones()->verify(made.number).has_value());
  flip_a_byte();
  auto found = kept_ones()->verify(made.number);
  REQUIRE(!found.has_value());
  CHECK(found.error().code == storage_errc::damaged);
  auto restored = kept_ones()->restore(made.number, folder / "restored");
  REQUIRE(!restored.has_value());
  CHECK(restored.error().code == storage_errc::damaged);
  CHECK(!fs::exists(folder / "restored"));
}

TEST_CASE_FIXTURE(backed_up,
                  "a backup that isn't there, or a folder that isn't empty, is refused") {
  create(1);
  const auto made = back_up();
  CHECK(kept_ones()->restore(made.number + 1, folder / "restored").error().code
        == storage_errc::no_such_backup);
  CHECK(kept_ones()->verify(0).error().code == storage_errc::no_such_backup);
  auto over = kept_ones()->restore(made.number, config.folder);
  REQUIRE(!over.has_value());
  CHECK(over.error().message.find("isn't empty") != std::string::npos);
  CHECK(propose(*one, {create_test_vm(vms)}).at(0).ok());
}

TEST_CASE_FIXTURE(backed_up, "a folder that can't be written says so, and the replica goes on") {
  create(1);
  std::ofstream{kept} << "a file";
  auto made = one->back_up(kept, 3, {});
  REQUIRE(!made.has_value());
  CHECK(made.error().code == storage_errc::cannot_open);
  create(1);
}

TEST_CASE_FIXTURE(backed_up, "a replica that stops doesn't wait for its backup") {
  create(30);
  std::stop_source stop;
  stop.request_stop();
  auto made = one->back_up(kept, 3, stop.get_token());
  REQUIRE(!made.has_value());
  CHECK(made.error().code == storage_errc::stopped);
  CHECK(kept_ones()->list().empty());
  back_up();
  CHECK(kept_ones()->list().size() == 1);
}

TEST_CASE_FIXTURE(backed_up, "a restored replica goes on alone, in a new timeline, on a new disk") {
  create(30);
  const auto before = list_all(*one).first;
  const auto disk = one->status().disk;
  const auto revision = one->status().applied_index;
  const auto made = back_up();
  create(5);
  auto elsewhere = test_config(folder / "elsewhere");
  elsewhere.node = {{0xa, 2}};
  elsewhere.timeline = 0; // whichever its folder says
  std::filesystem::create_directory(folder
                                    / "elsewhere.restoring"); // as an interrupted one leaves it
  auto outlook = restore_replica(*kept_ones(), made.number, elsewhere,
                                 {recover_cluster{elsewhere.node}, {}});
  REQUIRE_MESSAGE(outlook.has_value(), outlook.error().message);
  CHECK(outlook->timeline == made.timeline + 1);
  CHECK(!fs::exists(folder / "elsewhere.restoring"));
  auto restored = open_replica(elsewhere);
  CHECK(eventually([&] { return restored->status().leader; }));
  const auto status = restored->status();
  CHECK(status.disk != disk);
  CHECK(status.timeline == made.timeline + 1);
  CHECK(status.applied_index > revision + 1'000'000); // so that all list again
  REQUIRE(status.members.size() == 1);
  CHECK(status.members[0].node == elsewhere.node);
  size_t found = 0;
  for (const auto& record : list_all(*restored).first)
    if (const auto* vm = std::get_if<vm_record>(&record)) {
      ++found;
      CHECK(std::ranges::any_of(before, [&](const any_record& x) {
        const auto* then = std::get_if<vm_record>(&x);
        auto now = *vm;
        now.revision = then ? then->revision : 0; // of the new timeline, as that of all
        return then && *then == now;
      }));
    }
  CHECK(found == 30);
  CHECK(propose(*restored, create_test_vm(100).body).error == command_errc::hosts_awaited);
  CHECK(propose(*restored, register_test_host(1).body).ok());
  CHECK(propose(*restored, renew_lease{test_host(1), test_boot, std::chrono::seconds{9}}).ok());
  CHECK(propose(*restored, confirm_inventory{test_host(1), test_boot}).ok());
  CHECK(propose(*restored, {create_test_vm(100)}).at(0).ok());
}

TEST_CASE_FIXTURE(backed_up, "what is restored is later than any timeline that the backups know") {
  create(1);
  const auto first = back_up();
  one.reset();
  REQUIRE(begin_new_timeline(config, {recover_cluster{config.node}, {}}).has_value());
  config.timeline = 0; // whichever its folder says
  one = open_replica(config);
  const auto second = back_up();
  CHECK(second.timeline == first.timeline + 1);
  const auto elsewhere = test_config(folder / "elsewhere");
  auto outlook = restore_replica(*kept_ones(), first.number, elsewhere,
                                 {recover_cluster{elsewhere.node}, {}});
  REQUIRE_MESSAGE(outlook.has_value(), outlook.error().message);
  CHECK(outlook->timeline == second.timeline + 1);
}

TEST_CASE_FIXTURE(backed_up, "another cluster's backup isn't restored, nor over what is there") {
  create(1);
  const auto made = back_up();
  auto other = test_config(folder / "other");
  other.cluster = {{7, 7}};
  CHECK(restore_replica(*kept_ones(), made.number, other, {}).error().code
        == storage_errc::foreign);
  CHECK(!fs::exists(other.folder));
  CHECK(!fs::exists(folder / "other.restoring"));
  CHECK(restore_replica(*kept_ones(), made.number, config, {}).error().code
        == storage_errc::cannot_open);
}
