#include "storage/local/snapshot_fetch.hpp"
#include "storage/log/fields.hpp"
#include "storage/log/rolling_hash.hpp"
#include "test_replica.hpp"

#include <doctest/doctest.h>
#include <rocksdb/db.h>

using namespace novacron;

namespace {

/// Holds back what is asked for until the test answers it.
struct held_transport final : replica_transport {
  struct question {
    snapshot_chunk_request what;
    std::function<void(result<snapshot_chunk>)> done;
  };
  std::vector<question> asked;

  void send(node_id, std::vector<std::byte>) override {}
  void fetch(node_id, const snapshot_chunk_request& what,
             std::function<void(result<snapshot_chunk>)> done) override {
    asked.push_back({what, std::move(done)});
  }
};

/// A replica's fetch, without the replica.
struct fetching_replica {
  scratch_folder folder;
  std::unique_ptr<database> db = database::open(folder.path(), {{{1, 1}}, {{1, 2}}, 1, 0}).value();
  std::shared_ptr<held_transport> transport = std::make_shared<held_transport>();
  std::shared_ptr<inbox> queue = std::make_shared<inbox>(1u << 20);
  snapshot_fetch fetch{*db, transport, queue};
  std::vector<std::pair<uint64_t, bool>> ended; ///< the snapshot's index, complete

  void begin(uint64_t index) {
    raft_snapshot snapshot;
    snapshot.index = index;
    snapshot.reference = to_text({1, index, {index, {}, 0, 0}});
    fetch.begin({{1, 3}}, snapshot,
                [this, index](bool complete) { ended.emplace_back(index, complete); });
  }

  /// A part with one VM in it; the last one if `next` is empty.
  static snapshot_chunk part(uint64_t vm, const std::string& next = {}) {
    const auto key = state_key(0, state_kind::vm, test_vm(vm).value);
    const std::string value = "vm " + std::to_string(vm);
    field_writer records;
    records.number(static_cast<uint32_t>(key.size())).text(key);
    records.number(static_cast<uint32_t>(value.size())).text(value);
    const auto text = records.take();
    const auto bytes = std::as_bytes(std::span{text});
    snapshot_chunk chunk;
    chunk.records.assign(bytes.begin(), bytes.end());
    chunk.hash = rolling_hash(0, chunk.records);
    chunk.next = next;
    return chunk;
  }

  /// The n-th question's answer comes, and the replica's thread has its turn.
  void answer(size_t n, const snapshot_chunk& chunk) {
    transport->asked.at(n).done(chunk);
    for (auto& call : queue->take(inbox::clock::now(), 0).calls)
      call(false);
  }

  [[nodiscard]] bool staged(uint64_t vm) const {
    const auto key = state_key(0, state_kind::vm, test_vm(vm).value);
    std::string value;
    return db->rocks()
        .Get({}, db->in(column::state), in_generation(fetch.generation(), key), &value)
        .ok();
  }
};

} // namespace

TEST_CASE_FIXTURE(fetching_replica, "a snapshot is staged part by part, and then it is complete") {
  begin(5);
  answer(0, part(1, "next"));
  CHECK(ended.empty());
  REQUIRE(transport->asked.size() == 2);
  CHECK(transport->asked[1].what.from == "next");
  answer(1, part(2));
  CHECK(ended == std::vector{std::pair<uint64_t, bool>{5, true}});
  CHECK(staged(1));
  CHECK(staged(2));
}

TEST_CASE_FIXTURE(fetching_replica,
                  "a part of an earlier snapshot that comes late isn't staged with the next one") {
  begin(5);
  begin(9);
  REQUIRE(transport->asked.size() == 2);
  answer(0, part(1));
  CHECK_FALSE(staged(1));
  CHECK(ended.empty());
  answer(1, part(2));
  CHECK(ended == std::vector{std::pair<uint64_t, bool>{9, true}});
  CHECK(fetch.mark().index == 9);
  CHECK_FALSE(staged(1));
  CHECK(staged(2));
}
