#pragma once

#include "storage/consensus/raft_core.hpp"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <string_view>
#include <utility>
#include <vector>

namespace novacron {

inline log_entry test_entry(uint64_t term, entry_kind kind, std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return {term, kind, std::make_shared<const log_entry::bytes>(bytes.begin(), bytes.end())};
}

inline log_entry test_entry(uint64_t term, const membership& members) {
  return {term, entry_kind::configuration,
          std::make_shared<const log_entry::bytes>(encode_membership(members))};
}

/// A core of which a test sees everything that it asks for. Its disk stores
/// nothing by itself.
class core_recorder : public raft_transport, public raft_persistence, public raft_state_machine {
public:
  /// Begins as member 1 with `log`, in `term`. NOVACRON_WITHOUT=G1 … takes a
  /// guard away, so that its test can be seen to fail.
  void start(std::vector<log_entry> log, uint64_t term,
             std::optional<compaction_point> compacted = {}) {
    raft_start from;
    from.id = 1;
    from.address = "node-1";
    from.term = term;
    from.compacted = std::move(compacted);
    from.applied = from.compacted ? from.compacted->index : 0;
    from.first = from.applied + 1;
    from.entries = std::move(log);
    from.guards = guards();
    REQUIRE(core.start(std::move(from), now).has_value());
  }

  static raft_guards guards() {
    raft_guards all;
    const auto text = std::getenv("NOVACRON_WITHOUT");
    const std::string_view without = text ? text : "";
    const std::pair<std::string_view, bool*> switches[]{
        {"G1", &all.stale_term},      {"G2", &all.denied_pre_vote},
        {"G3", &all.stale_rejection}, {"G4", &all.rebase},
        {"G5", &all.split},           {"G6", &all.own_term_first},
        {"G8", &all.silent_leader},   {"G10", &all.term_of_one},
        {"G11", &all.standby_votes},  {"G12", &all.own_change_first},
        {"G13", &all.late_votes}};
    for (auto [name, on] : switches)
      if (name == without)
        *on = false;
    return all;
  }

  void hear(uint64_t from, raft_message_body what) {
    core.receive(from, "node-" + std::to_string(from), std::move(what), now);
  }

  /// Lets the election timer run out, and gives the core the votes of `voters`.
  void elect(std::initializer_list<uint64_t> voters) {
    wait();
    const auto term = core.term() + 1;
    for (bool pre : {true, false})
      for (auto each : voters)
        hear(each, vote_answer{term, true, pre, 0, 0});
    REQUIRE(core.leader());
    sent.clear();
  }

  void wait() {
    now = std::max(now, core.next_tick());
    core.tick(now);
  }

  template <class Message>
  [[nodiscard]] std::vector<Message> sent_to(uint64_t peer) const {
    std::vector<Message> some;
    for (const auto& [to, body] : sent)
      if (auto found = std::get_if<Message>(&body); found && to == peer)
        some.push_back(*found);
    return some;
  }

  std::vector<std::pair<uint64_t, raft_message_body>> sent;
  std::vector<std::pair<uint64_t, size_t>> appended; ///< first index, count
  std::vector<std::pair<uint64_t, uint64_t>> votes;  ///< term, vote
  std::vector<uint64_t> fetched;                     ///< snapshots' indices
  std::vector<uint64_t> installed;                   ///< snapshots' indices
  std::vector<log_entry> on_disk;                    ///< from index 1 on
  size_t read_at_once = 3;
  size_t sent_before_vote = 0; ///< messages, before the last vote
  uint64_t now = 1;
  raft_core core{*this, *this, *this};

private:
  void send(uint64_t to, raft_message_body message) override {
    sent.emplace_back(to, std::move(message));
  }
  void store_vote(uint64_t term, uint64_t vote) override {
    votes.emplace_back(term, vote);
    sent_before_vote = sent.size();
  }
  void append(uint64_t first, std::span<const log_entry> entries) override {
    appended.emplace_back(first, entries.size());
  }
  void truncate(uint64_t) override {}
  void install(const raft_snapshot& snapshot) override { installed.push_back(snapshot.index); }
  std::vector<log_entry> read(uint64_t first, size_t most) override {
    std::vector<log_entry> some;
    while (some.size() < std::min(most, read_at_once) && first + some.size() <= on_disk.size())
      some.push_back(on_disk[first + some.size() - 1]);
    return some;
  }
  void apply(uint64_t, const log_entry&) override {}
  void dropped(uint64_t) override {}
  void leads(bool) override {}
  std::optional<offered_snapshot> snapshot() override { return {}; }
  void fetch(uint64_t, const raft_snapshot& snapshot) override {
    fetched.push_back(snapshot.index);
  }
  void restore(const raft_snapshot&) override {}
};

} // namespace novacron
