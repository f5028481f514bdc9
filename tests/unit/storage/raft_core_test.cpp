#include "storage/consensus/raft_core.hpp"

#include <cstdlib>
#include <deque>
#include <doctest/doctest.h>
#include <map>
#include <random>
#include <string>
#include <string_view>

using namespace novacron;

namespace {

/// Three voters in virtual time: messages are lost, doubled and overtaken,
/// disks are slow, and a crash loses what was not stored yet.
class simulated_group {
public:
  explicit simulated_group(uint64_t seed, uint64_t voters = 3) : random_{seed} {
    for (uint64_t id = 1; id <= voters; ++id)
      voters_.push_back({id, "node-" + std::to_string(id), member_role::voter});
    for (const auto& each : voters_)
      nodes_.emplace(each.id, std::make_unique<node>(*this, each));
    for (auto& [id, each] : nodes_)
      each->start();
  }

  uint64_t below(uint64_t end) { return random_() % end; }

  void step(bool faults) {
    ++now_;
    faults_ = faults;
    for (auto& [id, each] : nodes_)
      each->step();
    deliver();
    if (faults && below(400) == 0)
      nodes_.at(1 + below(nodes_.size()))->crash();
    if (below(3) == 0)
      propose();
    check();
  }

  void propose() {
    for (auto& [id, each] : nodes_)
      if (each->core->leader())
        each->submit(++proposed_);
  }

  /// Of all entries applied anywhere: their content by index.
  std::map<uint64_t, uint64_t> applied;
  uint64_t leaders_seen = 0;

  uint64_t last_applied() const { return applied.empty() ? 0 : applied.rbegin()->first; }
  size_t leaders() {
    size_t n = 0;
    for (auto& [id, each] : nodes_)
      n += each->core->leader();
    return n;
  }
  uint64_t least_applied() {
    uint64_t least = ~0ull;
    for (auto& [id, each] : nodes_)
      least = std::min(least, each->core->applied_index());
    return least;
  }

private:
  struct node final : raft_transport, raft_persistence, raft_state_machine {
    node(simulated_group& g, raft_member v) : group{g}, self{std::move(v)} {
      log.push_back({1, entry_kind::configuration,
                     std::make_shared<const log_entry::bytes>(encode_membership(group.voters_))});
      term = 1;
    }

    void start() {
      core = std::make_unique<raft_core>(*this, *this, *this);
      raft_start from;
      from.id = self.id;
      from.address = self.address;
      from.term = term;
      from.vote = vote;
      from.entries = log;
      from.applied = mark;
      from.seed = static_cast<uint32_t>(group.random_());
      waiting.clear();
      applied = mark;
      REQUIRE(core->start(std::move(from), group.now_).has_value());
    }

    void crash() {
      core.reset();
      waiting.clear();
      start();
    }

    void submit(uint64_t what) {
      log_entry::bytes bytes(8);
      for (size_t i = 0; i < 8; ++i)
        bytes[i] = static_cast<std::byte>(what >> (8 * i));
      core->submit({bytes, bytes}, group.now_);
    }

    void step() {
      // The disk: some of what waits becomes durable, in order.
      while (!waiting.empty() && group.below(3) != 0) {
        auto [first, entries] = std::move(waiting.front());
        waiting.pop_front();
        if (entries.empty()) {
          log.resize(std::min<size_t>(log.size(), first - 1));
          continue;
        }
        REQUIRE(log.size() == first - 1);
        log.insert(log.end(), entries.begin(), entries.end());
        core->stored(log.size(), log.back().term, group.now_);
      }
      if (group.now_ >= core->next_tick())
        core->tick(group.now_);
    }

    void send(uint64_t to, raft_message_body message) override {
      group.sent_.push_back({group.now_ + 1 + group.below(20), self.id, to, std::move(message)});
    }
    void store_vote(uint64_t t, uint64_t v) override {
      term = t;
      vote = v;
    }
    void append(uint64_t first, std::span<const log_entry> entries) override {
      waiting.push_back({first, {entries.begin(), entries.end()}});
    }
    void truncate(uint64_t from) override { waiting.push_back({from, {}}); }
    void install(const raft_snapshot&) override { FAIL("nothing was compacted"); }
    std::optional<offered_snapshot> snapshot() override { return {}; }
    void fetch(uint64_t, const raft_snapshot&) override {}
    void restore(const raft_snapshot&) override {}
    std::vector<log_entry> read(uint64_t first, size_t most) override {
      std::vector<log_entry> some;
      for (auto i = first; i < first + most && i <= log.size(); ++i)
        some.push_back(log[i - 1]);
      return some;
    }
    void apply(uint64_t index, const log_entry& entry) override {
      CHECK_MESSAGE(index <= log.size(), "applied before it was stored");
      CHECK_MESSAGE(index > applied, "applied twice, or out of order");
      applied = index;
      uint64_t what = 0;
      for (size_t i = 8; i-- > 0;)
        what = what << 8 | std::to_integer<uint64_t>((*entry.data)[i]);
      auto [known, fresh] = group.applied.emplace(index, what);
      CHECK_MESSAGE(known->second == what, "state machines diverge at " << index);
      mark = index;
    }
    void dropped(uint64_t index) override {
      CHECK_MESSAGE(index > applied, "an applied entry was dropped");
    }
    void leads(bool leader) override { group.leaders_seen += leader; }

    simulated_group& group;
    raft_member self;
    std::vector<log_entry> log; ///< durable
    uint64_t term = 0;
    uint64_t vote = 0;
    uint64_t mark = 0; ///< of the durable state
    uint64_t applied = 0;
    std::deque<std::pair<uint64_t, std::vector<log_entry>>> waiting;
    std::unique_ptr<raft_core> core;
  };

  struct sent_message {
    uint64_t at;
    uint64_t from;
    uint64_t to;
    raft_message_body body;
  };

  void deliver() {
    std::vector<sent_message> due;
    std::erase_if(sent_, [&](auto& each) {
      if (each.at > now_)
        return false;
      due.push_back(std::move(each));
      return true;
    });
    for (auto& each : due) {
      if (faults_ && below(10) == 0)
        continue;
      if (faults_ && below(20) == 0)
        sent_.push_back({now_ + below(50), each.from, each.to, each.body});
      const auto& from = voters_[each.from - 1];
      nodes_.at(each.to)->core->receive(from.id, from.address, std::move(each.body), now_);
    }
  }

  void check() {
    std::map<uint64_t, uint64_t> leader_of;
    for (auto& [id, each] : nodes_)
      if (each->core->leader())
        CHECK_MESSAGE(leader_of.emplace(each->core->term(), id).second, "two leaders in a term");
  }

  std::mt19937_64 random_;
  membership voters_;
  std::map<uint64_t, std::unique_ptr<node>> nodes_;
  std::vector<sent_message> sent_;
  uint64_t now_ = 1;
  uint64_t proposed_ = 0;
  bool faults_ = true;
};

} // namespace

TEST_CASE("three voters agree on one log whatever is lost, and catch up when it heals") {
  const auto given = std::getenv("NOVACRON_SEED");
  const uint64_t first = given ? std::strtoull(given, nullptr, 10) : 1;
  const uint64_t seeds = given ? 1 : 30;
  uint64_t leaders = 0;
  for (auto seed = first; seed < first + seeds; ++seed) {
    CAPTURE(seed);
    INFO("again with: NOVACRON_SEED=" << seed << " unit_storage -tc='three voters*'");
    simulated_group group{seed};
    for (int i = 0; i < 6000; ++i)
      group.step(true);
    const auto before = group.last_applied();
    for (int i = 0; i < 6000; ++i)
      group.step(false);
    CHECK(group.leaders() == 1);
    CHECK(group.last_applied() > before);
    CHECK(group.least_applied() > before);
    leaders += group.leaders_seen;
  }
  CHECK(leaders >= 2 * seeds);
}

TEST_CASE("a single voter leads when it has started") {
  simulated_group group{1, 1};
  CHECK(group.leaders() == 1);
}

namespace {

/// Records what a core asks for; stores nothing by itself.
struct recorder final : raft_transport, raft_persistence, raft_state_machine {
  std::vector<uint64_t> appended;
  std::vector<uint64_t> truncated;
  std::vector<std::string> applied;

  void send(uint64_t, raft_message_body) override {}
  void store_vote(uint64_t, uint64_t) override {}
  void append(uint64_t first, std::span<const log_entry> entries) override {
    appended.push_back(first + entries.size() - 1);
  }
  void truncate(uint64_t from) override { truncated.push_back(from); }
  std::vector<log_entry> read(uint64_t, size_t) override { return {}; }
  void install(const raft_snapshot&) override {}
  std::optional<offered_snapshot> snapshot() override { return {}; }
  void fetch(uint64_t, const raft_snapshot&) override {}
  void restore(const raft_snapshot&) override {}
  void apply(uint64_t, const log_entry& entry) override {
    applied.emplace_back(reinterpret_cast<const char*>(entry.data->data()), entry.data->size());
  }
  void dropped(uint64_t) override {}
  void leads(bool) override {}
};

log_entry command_entry(uint64_t term, std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return {term, entry_kind::command,
          std::make_shared<const log_entry::bytes>(bytes.begin(), bytes.end())};
}

} // namespace

TEST_CASE("an entry that was replaced before the disk was done with it counts as not stored") {
  recorder disk;
  raft_core core{disk, disk, disk};
  const membership voters{{1, "node-1"}, {2, "node-2"}, {3, "node-3"}};
  raft_start from;
  from.id = 1;
  from.address = "node-1";
  from.term = 1;
  from.entries.push_back({1, entry_kind::configuration,
                          std::make_shared<const log_entry::bytes>(encode_membership(voters))});
  REQUIRE(core.start(std::move(from), 1).has_value());
  core.receive(2, "node-2", append_request{2, 1, 1, 1, {command_entry(2, "old")}}, 2);
  CHECK(disk.appended == std::vector<uint64_t>{2});
  core.receive(3, "node-3", append_request{3, 1, 1, 2, {command_entry(3, "new")}}, 3);
  CHECK(disk.truncated == std::vector<uint64_t>{2});
  CHECK(core.commit_index() <= 2);
  core.stored(2, 2, 4); // the disk's word on the old one comes late
  CHECK(disk.applied.empty());
  core.stored(2, 3, 5);
  core.receive(3, "node-3", append_request{3, 2, 3, 2, {}}, 6);
  CHECK(disk.applied == std::vector<std::string>{"new"});
}
