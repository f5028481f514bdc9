#include "storage/consensus/raft_core.hpp"
#include "storage/log/database.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/log_store.hpp"
#include "storage/log/snapshot_exports.hpp"
#include "storage/log/snapshot_staging.hpp"
#include "storage/log/state_store.hpp"
#include "test_replica.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <fstream>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sys/resource.h>

using namespace novacron;
namespace fs = std::filesystem;

namespace {

void fill(const replica_config& config, uint64_t vms = 30) {
  auto one = open_replica(config);
  propose(*one, {register_test_host(1)});
  for (uint64_t n = 0; n < vms; ++n)
    REQUIRE(propose(*one, {create_test_vm(n)}).at(0).ok());
}

fs::path newest_wal(const fs::path& folder) {
  fs::path newest;
  for (const auto& each : fs::directory_iterator{folder})
    if (each.path().extension() == ".log" && (newest.empty() || each.path() > newest))
      newest = each.path();
  REQUIRE_FALSE(newest.empty());
  return newest;
}

failure refusal(const replica_config& config) {
  auto refused = replica::open(config);
  REQUIRE_FALSE(refused.has_value());
  return refused.error();
}

database_identity identity_of(const replica_config& config) {
  return {config.cluster, config.node, config.timeline, config.group};
}

} // namespace

TEST_CASE("a folder of another cluster, node, timeline or group is refused") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config, 1);
  auto check = [&](auto change) {
    auto foreign = config;
    change(foreign);
    CHECK(refusal(foreign).code == storage_errc::foreign);
  };
  check([](auto& x) { x.cluster = {{1, 2}}; });
  check([](auto& x) { x.node = {{1, 2}}; });
  check([](auto& x) { x.timeline = 2; });
  check([](auto& x) { x.group = 1; });
  CHECK(replica::open(config).has_value());
}

TEST_CASE("a log whose newest WAL is gone is refused") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config);
  fs::remove(newest_wal(folder.path()));
  const auto why = refusal(config);
  CHECK(why.code == storage_errc::damaged);
  CHECK(why.message.find("has lost everything") != std::string::npos);
}

TEST_CASE("a log whose WAL lost its end is refused") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config);
  const auto wal = newest_wal(folder.path());
  fs::resize_file(wal, fs::file_size(wal) * 3 / 4);
  const auto why = refusal(config);
  CHECK(why.code == storage_errc::damaged);
  CHECK(why.message.find("was promised") != std::string::npos);
}

TEST_CASE("a log with a damaged middle is refused, not cut") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config);
  {
    const auto wal = newest_wal(folder.path());
    std::fstream file{wal, std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(static_cast<std::streamoff>(fs::file_size(wal) / 2));
    file.write("damage!", 7);
  }
  const auto why = refusal(config);
  CHECK(why.code == storage_errc::damaged);
  CHECK(why.message.find("Corruption") != std::string::npos);
}

TEST_CASE("a database that is gone is not begun anew where promises were made") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config, 1);
  fs::remove(folder / "CURRENT");
  CHECK(refusal(config).code == storage_errc::damaged);
  CHECK_FALSE(fs::exists(folder / "CURRENT"));
}

TEST_CASE("a log that misses an entry is refused") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config);
  {
    auto db = database::open(config.folder, identity_of(config)).value();
    log_store log{*db};
    auto entries = log.read(10, 100);
    rocksdb::WriteBatch batch;
    log.truncate(batch, 10);
    log.append(batch, 11, std::span{entries}.subspan(1));
    db->write(batch, database::durability::synced);
  }
  const auto why = refusal(config);
  CHECK(why.code == storage_errc::damaged);
  CHECK(why.message.find("entry 10 is missing") != std::string::npos);
}

TEST_CASE("a log that lost a vote, or its beginning, or what the state holds, is refused") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config);
  const auto whole = folder.path().string() + "-whole";
  fs::copy(folder.path(), whole, fs::copy_options::recursive);
  auto refused_after = [&](const std::string& words, auto damage) {
    {
      auto db = database::open(config.folder, identity_of(config)).value();
      cluster_state ignored;
      const auto mark = state_store{*db}.load(ignored).value();
      damage(*db, log_store{*db}, log_store{*db}.load(mark.index).value(), mark);
    }
    const auto why = refusal(config);
    CHECK_MESSAGE(why.message.find(words) != std::string::npos, why.message);
    fs::remove_all(config.folder);
    fs::copy(whole, config.folder, fs::copy_options::recursive);
  };
  refused_after("was promised", [](database& db, const log_store&, const stored_log& log, auto) {
    db.promise({log.last(), log.term + 1});
  });
  refused_after("its beginning is missing",
                [](database& db, const log_store&, const stored_log&, auto) {
                  rocksdb::WriteBatch batch;
                  batch.DeleteRange(db.in(column::log), log_key(0, 0), log_key(0, 5));
                  db.write(batch, database::durability::synced);
                });
  refused_after("the log ends at", [](database& db, const log_store& store, const stored_log& log,
                                      const applied_mark& mark) {
    rocksdb::WriteBatch batch;
    store.truncate(batch, mark.index);
    db.write(batch, database::durability::synced);
    db.promise({mark.index - 1, log.term});
  });
  CHECK(replica::open(config).has_value());
  fs::remove_all(whole);
}

TEST_CASE("a chunk of the state that isn't what was sent is not staged") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config);
  auto db = database::open(config.folder, identity_of(config)).value();
  snapshot_exports exports{*db, 1};
  snapshot_chunk_request request;
  request.reference = to_text(exports.offer(1, snapshot_exports::clock::now()));
  auto chunk = exports.read(request, snapshot_exports::clock::now()).value();
  REQUIRE(chunk.records.size() > 100);
  snapshot_staging staging{*db};
  staging.begin();
  CHECK(staging.add(chunk));
  chunk.records[chunk.records.size() / 2] ^= std::byte{1};
  CHECK_FALSE(staging.add(chunk));
}

TEST_CASE("a chunk of the state is no larger than was asked for, unless its only record is") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config);
  auto db = database::open(config.folder, identity_of(config)).value();
  snapshot_exports exports{*db, 1};
  const auto now = snapshot_exports::clock::now();
  snapshot_chunk_request request;
  request.reference = to_text(exports.offer(1, now));
  const auto whole = exports.read(request, now).value();
  REQUIRE(whole.next.empty());
  for (uint32_t limit : {0u, 1'000u, 2'000u}) {
    std::vector<std::byte> records;
    request.limit_bytes = limit;
    request.from.clear();
    do {
      auto chunk = exports.read(request, now).value();
      CHECK((limit == 0 || chunk.records.size() <= limit));
      records.insert(records.end(), chunk.records.begin(), chunk.records.end());
      request.from = chunk.next;
    } while (!request.from.empty());
    CHECK(records == whole.records);
  }
}

TEST_CASE(
    "a snapshot that nobody reads any more is let go of, whether another one is wanted or not") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config);
  auto db = database::open(config.folder, identity_of(config)).value();
  snapshot_exports exports{*db, 1};
  auto now = snapshot_exports::clock::now();
  snapshot_chunk_request request;
  request.reference = to_text(exports.offer(1, now));
  auto pinned = [&] {
    uint64_t count = 0;
    REQUIRE(db->rocks().GetIntProperty(rocksdb::DB::Properties::kNumSnapshots, &count));
    return count;
  };
  now += std::chrono::seconds{50};
  exports.release_idle(now);
  CHECK(exports.read(request, now).has_value());
  now += std::chrono::seconds{50};
  exports.release_idle(now);
  CHECK(pinned() == 1);
  now += std::chrono::seconds{50};
  exports.release_idle(now);
  CHECK(pinned() == 0);
  auto gone = exports.read(request, now);
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().code == storage_errc::stopped);
}

TEST_CASE("a read barrier waits until the log is applied that was found ahead of the state") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config);
  uint64_t last = 0;
  {
    auto db = database::open(config.folder, identity_of(config)).value();
    cluster_state ignored;
    log_store log{*db};
    auto stored = log.load(state_store{*db}.load(ignored).value().index).value();
    last = stored.last() + 1;
    command_batch batch;
    batch.commands = {create_test_vm(1000)};
    const log_entry entry{stored.term, entry_kind::command,
                          std::make_shared<const log_entry::bytes>(encode(batch))};
    rocksdb::WriteBatch write;
    log.append(write, last, {&entry, 1});
    db->write(write, database::durability::synced);
  }
  auto one = open_replica(config);
  awaited<uint64_t> applied;
  one->read_barrier([&](result<uint64_t> x) { applied.set(x.value()); });
  CHECK(applied.get() == last);
  CHECK(list_all(*one).second == last);
}

TEST_CASE("a log with commands of a newer version is refused") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config);
  {
    auto db = database::open(config.folder, identity_of(config)).value();
    cluster_state ignored;
    log_store log{*db};
    auto stored = log.load(state_store{*db}.load(ignored).value().index).value();
    command_batch batch;
    batch.cluster_version = known_cluster_version + 1;
    const log_entry entry{stored.term, entry_kind::command,
                          std::make_shared<const log_entry::bytes>(encode(batch))};
    rocksdb::WriteBatch write;
    log.append(write, stored.last() + 1, {&entry, 1});
    db->write(write, database::durability::synced);
  }
  CHECK(refusal(config).code == storage_errc::unknown_version);
}

TEST_CASE("a folder that cannot be opened is named, with the remedy") {
  scratch_folder folder;
  std::ofstream{folder / "file"} << "no folder";
  for (const auto& path :
       {folder / "file", folder / "file" / "state", fs::path{"/proc/novacron"}}) {
    auto config = test_config(path);
    const auto why = refusal(config);
    CHECK(why.code == storage_errc::cannot_open);
    CHECK(why.message.find(path.string()) != std::string::npos);
  }
}

TEST_CASE("a folder without room is refused with the reason, before anything is written") {
  scratch_folder folder;
  const auto config = test_config(folder.path());
  fill(config, 1);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* handled = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 300'000; // more than RocksDB writes into any file when it opens this
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  auto refused = replica::open(config);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handled);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == storage_errc::cannot_open);
  CHECK_MESSAGE(refused.error().message.find("make room") != std::string::npos,
                refused.error().message);
  CHECK(replica::open(config).has_value());
}

TEST_CASE("a folder that is in use is refused") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  CHECK(refusal(test_config(folder.path())).code == storage_errc::cannot_open);
}

TEST_CASE("the mark's hash tells equal histories from others") {
  auto hash_after = [](uint64_t vms) {
    scratch_folder folder;
    auto config = test_config(folder.path());
    config.clock = [] { return log_time{std::chrono::milliseconds{1000}}; };
    fill(config, vms);
    auto db = database::open(config.folder, identity_of(config)).value();
    return state_store{*db}.mark().hash;
  };
  const auto five = hash_after(5);
  CHECK(five == hash_after(5));
  CHECK(five != hash_after(6));
}
