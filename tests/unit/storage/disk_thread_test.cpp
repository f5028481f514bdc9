#include "storage/log/disk_thread.hpp"
#include "test_replica.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <rocksdb/db.h>
#include <rocksdb/iostats_context.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/write_batch.h>

using namespace novacron;

namespace {

struct disk {
  scratch_folder folder;
  std::unique_ptr<database> db = database::open(folder.path(), {{{1, 1}}, {{1, 2}}, 1, 0}).value();
  log_store store{*db};
};

std::vector<log_entry> entries(size_t count, uint64_t term, size_t bytes = 10) {
  return std::vector<log_entry>(
      count, {term, entry_kind::command, std::make_shared<const log_entry::bytes>(bytes)});
}

} // namespace

TEST_CASE("an entry is reported as stored only after a sync, and its promise follows") {
  disk it;
  std::atomic<uint64_t> stored{0};
  std::atomic<uint64_t> unsynced{0};
  uint64_t syncs = 0;
  {
    disk_thread thread{*it.db, {}, [&](uint64_t index, uint64_t) {
                         // RocksDB counts what this very thread waited for its disk.
                         const auto now = rocksdb::get_iostats_context()->fsync_nanos;
                         if (stored > 0 && now == syncs)
                           ++unsynced;
                         syncs = now;
                         rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableTime);
                         if (it.store.read(index, 1).size() != 1)
                           ++unsynced;
                         stored = index;
                       }};
    for (uint64_t n = 1; n <= 10; ++n) {
      thread.append(n, entries(1, 1));
      REQUIRE(eventually([&] { return stored == n; }));
    }
  }
  CHECK(unsynced == 0);
  CHECK(promise_file::read(it.folder.path()) == promise_file::promise{10, 0});
}

TEST_CASE("a vote is durable when it returns, with everything asked before it") {
  disk it;
  disk_thread thread{*it.db, {}, [](uint64_t, uint64_t) {}};
  thread.append(1, entries(3, 1));
  thread.store_vote(7, 42);
  auto log = it.store.load(0).value();
  CHECK(log.term == 7);
  CHECK(log.vote == 42);
  CHECK(log.last() == 3);
}

TEST_CASE("truncating lowers the promise before the log, appending raises it after") {
  disk it;
  disk_thread thread{*it.db, {}, [](uint64_t, uint64_t) {}};
  thread.append(1, entries(9, 1));
  thread.store_vote(1, 0);
  CHECK(promise_file::read(it.folder.path())->index == 9);
  thread.truncate(4);
  thread.store_vote(1, 0);
  CHECK(promise_file::read(it.folder.path())->index == 3);
  CHECK(it.store.load(0).value().last() == 3);
  thread.append(4, entries(2, 2));
  thread.store_vote(2, 0);
  auto log = it.store.load(0).value();
  CHECK(log.last() == 5);
  CHECK(log.entries[3].term == 2);
  CHECK(promise_file::read(it.folder.path()) == promise_file::promise{5, 2});
}

TEST_CASE("a compacted log loads from where it was cut") {
  disk it;
  disk_thread thread{*it.db, {}, [](uint64_t, uint64_t) {}};
  thread.append(1, entries(9, 1));
  thread.compact({8, 1, 1, log_entry::bytes(3)}, 5);
  thread.store_vote(1, 0);
  auto log = it.store.load(0).value();
  CHECK(log.first == 6);
  CHECK(log.last() == 9);
  REQUIRE(log.compacted);
  CHECK(log.compacted->index == 8);
  CHECK(log.compacted->configuration == log_entry::bytes(3));
  CHECK(it.store.read(5, 1).empty());
}

TEST_CASE("what is read at once is bounded, but for a single entry") {
  disk it;
  disk_thread thread{*it.db, {}, [](uint64_t, uint64_t) {}};
  const log_entry large{1, entry_kind::command,
                        std::make_shared<const log_entry::bytes>(most_read_bytes / 4)};
  const log_entry huge{1, entry_kind::command,
                       std::make_shared<const log_entry::bytes>(most_read_bytes + 1)};
  thread.append(1, {large, large, large, large, large, huge, large});
  thread.store_vote(1, 0);
  CHECK(it.store.read(1, 7).size() == 3);
  CHECK(it.store.read(4, 7).size() == 2);
  CHECK(it.store.read(6, 7).size() == 1);
  CHECK(it.store.read(7, 7).size() == 1);
}
