#include "storage/consensus/raft_core.hpp"

#include <array>
#include <deque>
#include <doctest/doctest.h>
#include <memory>
#include <optional>
#include <string>

// How far apart controllers may be: docs/failures.md.

using namespace novacron;

namespace {

/// Three voters in virtual time whose messages all take equally long; their disks
/// are quick, and nothing is lost.
class distant_group {
public:
  distant_group(uint64_t election_ms, uint64_t round_trip_ms) : one_way_{round_trip_ms / 2} {
    for (uint64_t id = 1; id <= nodes_.size(); ++id)
      members_.push_back({id, "node-" + std::to_string(id), member_role::voter});
    for (uint64_t i = 0; i < nodes_.size(); ++i)
      nodes_[i].emplace(*this, members_[i], election_ms);
  }

  /// Lets time pass, in which each leader gets a command every 20 ms.
  void pass(uint64_t ms) {
    for (const auto end = now_ + ms; now_ < end; ++now_) {
      for (auto& each : nodes_)
        each->step();
      while (!under_way_.empty() && under_way_.front().at <= now_) {
        auto due = std::move(under_way_.front());
        under_way_.pop_front();
        const auto& from = members_[due.from - 1];
        nodes_[due.to - 1]->core->receive(from.id, from.address, std::move(due.body), now_);
      }
    }
  }

  size_t elections = 0; ///< that somebody won
  size_t applied = 0;   ///< commands, on the first node

private:
  struct node final : raft_transport, raft_persistence, raft_state_machine {
    node(distant_group& g, const raft_member& v, uint64_t election_ms) : group{g}, self{v} {
      log.push_back({1, entry_kind::configuration,
                     std::make_shared<const log_entry::bytes>(encode_membership(g.members_))});
      raft_start from;
      from.id = self.id;
      from.address = self.address;
      from.term = 1;
      from.entries = log;
      from.election = std::chrono::milliseconds{election_ms};
      from.heartbeat = std::chrono::milliseconds{election_ms / 5};
      from.seed = static_cast<uint32_t>(self.id);
      REQUIRE(core->start(std::move(from), group.now_).has_value());
    }

    void step() {
      if (group.now_ >= core->next_tick())
        core->tick(group.now_);
      if (core->leader() && group.now_ % 20 == 0)
        core->submit({log_entry::bytes(8)}, group.now_);
      if (to_store)
        core->stored(log.size(), log.back().term, group.now_);
      to_store = false;
    }

    void send(uint64_t to, raft_message_body body) override {
      group.under_way_.push_back({group.now_ + group.one_way_, self.id, to, std::move(body)});
    }
    void store_vote(uint64_t, uint64_t) override {}
    void append(uint64_t, std::span<const log_entry> entries) override {
      log.insert(log.end(), entries.begin(), entries.end());
      to_store = true;
    }
    void truncate(uint64_t from) override { log.resize(from - 1); }
    void install(const raft_snapshot&) override {}
    std::vector<log_entry> read(uint64_t first, size_t most) override {
      std::vector<log_entry> some;
      for (auto i = first; i < first + most && i <= log.size(); ++i)
        some.push_back(log[i - 1]);
      return some;
    }
    void apply(uint64_t, const log_entry&) override { group.applied += self.id == 1 ? 1 : 0; }
    void dropped(uint64_t) override {}
    void leads(bool leader) override { group.elections += leader ? 1 : 0; }
    std::optional<offered_snapshot> snapshot() override { return {}; }
    void fetch(uint64_t, const raft_snapshot&) override {}
    void restore(const raft_snapshot&) override {}

    distant_group& group;
    raft_member self;
    std::vector<log_entry> log;
    bool to_store = false;
    std::unique_ptr<raft_core> core = std::make_unique<raft_core>(*this, *this, *this);
  };

  struct sent_message {
    uint64_t at;
    uint64_t from;
    uint64_t to;
    raft_message_body body;
  };

  uint64_t one_way_;
  uint64_t now_ = 1;
  membership members_;
  std::array<std::optional<node>, 3> nodes_;
  std::deque<sent_message> under_way_;
};

} // namespace

TEST_CASE("leaders last as long as a round trip is shorter than the election timeout") {
  for (uint64_t election : {500, 2'000})
    for (uint64_t percent : {10, 50, 80}) {
      CAPTURE(election);
      CAPTURE(percent);
      distant_group group{election, election * percent / 100};
      group.pass(20 * election); // to elect one
      group.elections = group.applied = 0;
      group.pass(60'000);
      CHECK(group.elections == 0);
      CHECK(group.applied > 2'900);
    }
}

TEST_CASE("no leader lasts when a round trip is longer than the election timeout") {
  distant_group group{500, 1'000};
  group.pass(60'000);
  CHECK(group.applied == 0);
}

TEST_CASE("with a longer election timeout distant controllers work") {
  distant_group group{2'500, 1'000};
  group.pass(70'000);
  CHECK(group.elections == 1);
  CHECK(group.applied > 2'500);
}
