#pragma once

#include "probes.hpp"

#include <cstdint>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace novacron::sim {

/// A promise was broken. Ends the schedule.
class violation : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Watches what all replicas do, and compares it with what was promised. Also
/// keeps the trace's hash: equal seeds must make equal traces.
class checker {
public:
  /// A replica became the leader of a term.
  void leads(uint64_t node, uint64_t term);
  /// A replica told a candidate, maybe itself, that it has its vote.
  void votes(uint64_t node, uint64_t term, uint64_t candidate);
  /// A replica said that it has stored everything up to `index`.
  void acknowledges(uint64_t node, uint64_t index, uint64_t durable);
  /// A replica applied an entry: its contents, and its state afterwards, as hashes.
  void applies(uint64_t node, uint64_t index, uint64_t contents, uint64_t state, uint64_t durable);
  /// A replica restored a snapshot.
  void restores(uint64_t node, uint64_t index, uint64_t state);

  /// What was applied at this index, as `applies` was told; nothing: nobody has.
  [[nodiscard]] std::optional<uint64_t> contents_at(uint64_t index) const;
  /// A majority is lost with its disks: what was applied after `held` may be otherwise now,
  /// and terms begin anew.
  void log_lost_after(uint64_t held);
  /// The recovered log begins here, with this state.
  void log_begins_at(uint64_t index, uint64_t state) { applied_[index] = {0, state}; }

  /// A client asks for something that nobody asked before; later it ends, once.
  void asks(uint64_t proposal);
  void ends(uint64_t proposal);
  /// It ended well: it is at `index`.
  void acknowledged(uint64_t proposal, uint64_t index);

  /// After the faults: all operations have ended, and a replica whose state is
  /// `state` at `applied` has everything that was acknowledged.
  void at_the_end(uint64_t node, uint64_t applied, uint64_t state) const;
  void everything_ended() const;
  /// Proposals that are not answered yet.
  [[nodiscard]] size_t open() const { return open_.size(); }

  /// What to throw. The first one is remembered: an actor that a violation is
  /// thrown in swallows it.
  violation broken(const std::string& what) {
    if (first_.empty())
      first_ = what;
    return violation{what};
  }
  [[nodiscard]] const std::string& first_violation() const { return first_; }

  /// For people who look into a schedule: a line of its story, if it is told.
  template <class Text>
  void tell(uint64_t at_ms, Text text) const {
    if (tells)
      std::cerr << at_ms << " " << text() << "\n";
  }
  bool tells = false;

  void trace(uint64_t what) { hash_ = (hash_ ^ what) * 0x100000001b3; }
  [[nodiscard]] uint64_t hash() const { return hash_; }
  [[nodiscard]] uint64_t last_acknowledged() const { return last_acknowledged_; }
  [[nodiscard]] uint64_t applied() const { return applied_.size(); }

private:
  struct applied_entry {
    uint64_t contents = 0;
    uint64_t state = 0;
  };

  std::map<uint64_t, uint64_t> leaders_;                    ///< by term
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> votes_; ///< by node and term
  std::map<uint64_t, applied_entry> applied_;               ///< by index
  std::set<uint64_t> open_;
  uint64_t last_acknowledged_ = 0;
  std::string first_;
  uint64_t hash_ = 0xcbf29ce484222325;
};

} // namespace novacron::sim
