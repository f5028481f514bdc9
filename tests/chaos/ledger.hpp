#pragma once

#include "storage/state/cluster_state.hpp"

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace novacron::chaos {

/// A VM as its user believes it to be: every acknowledged write of it.
struct believed_vm {
  std::string id;
  std::string name;
  bool ha = false;                   ///< its policy binds it to its host's lease
  std::string requested = "stopped"; ///< by the last acknowledged write
  /// When a write that asked for anything but that it runs was last acknowledged.
  std::chrono::steady_clock::time_point turned;
  /// What a refused write would have asked for, some of whose attempts had an
  /// unknown outcome: one of those may still have been carried out, until then.
  std::string possibly;
  std::chrono::steady_clock::time_point possible_until;

  [[nodiscard]] bool deleted() const { return requested == "deleted"; }
  /// It is to run, and nobody has had anything else of it at `since` or later.
  [[nodiscard]] bool runs_since(std::chrono::steady_clock::time_point since) const {
    return requested == "running" && possibly.empty() && turned < since;
  }
};

/// How a request ended, for its user.
enum class request_end : uint8_t {
  acknowledged, ///< of a write
  read,
  refused, ///< by a reason, below 500: nothing was done
  lost,    ///< no answer, or one that leaves the outcome open, or "not now": to be repeated
};

/// What the users were told, and when: the truth that the cluster is held to.
/// Safe from any thread.
class ledger {
public:
  using clock = std::chrono::steady_clock;

  struct tally {
    uint64_t acknowledged = 0;
    uint64_t lost = 0;
    uint64_t all = 0;
  };

  void created(const std::string& name, const std::string& id, bool ha = false);
  /// `requested`: as in "running".
  void requested(const std::string& id, const std::string& requested);
  /// Was refused after attempts whose outcome nobody knows.
  void perhaps(const std::string& id, const std::string& requested);
  /// An operation that was accepted.
  void accepted(const std::string& operation);
  void ended(clock::time_point sent, request_end how);
  /// A promise was broken in front of a user.
  void broken(const std::string& how);

  [[nodiscard]] std::map<std::string, believed_vm> vms() const; ///< by id
  [[nodiscard]] std::vector<std::string> operations() const;    ///< in the order of their answers
  [[nodiscard]] std::vector<std::string> breaches() const;
  /// Creates and verbs that were acknowledged.
  [[nodiscard]] uint64_t acknowledged_writes() const;
  /// Of the attempts that ended in [from, to).
  [[nodiscard]] tally between(clock::time_point from, clock::time_point to) const;
  [[nodiscard]] tally total() const;
  /// Of the writes that were sent at `from` or later: when the first was acknowledged.
  [[nodiscard]] std::optional<clock::time_point> first_sent_after(clock::time_point from) const;

private:
  struct attempt {
    clock::time_point sent;
    clock::time_point at;
    request_end how;
  };

  mutable std::mutex mutex_;
  std::map<std::string, believed_vm> vms_;
  std::set<std::string> known_operations_;
  std::vector<std::string> operations_; ///< the same, in the order of their answers
  std::vector<attempt> attempts_;       ///< in the order in which they ended
  std::vector<std::string> breaches_;
  uint64_t acknowledged_ = 0;
};

/// What the cluster shows, all pages of it.
struct shown_state {
  std::vector<boost::json::value> vms;
  std::vector<boost::json::value> operations;
};

/// Each acknowledged write that isn't there once, in words: a VM that is missing,
/// or there twice, or under another id, or asked to be what nobody asked for; a
/// deleted one that is back; an operation that nobody knows. `kept`: so many ended
/// operations the cluster keeps, and forgets what ended before them.
std::vector<std::string> lost_writes(const ledger& of, const shown_state& shown,
                                     size_t kept = retention{}.max_ended);
/// Each VM that is there and whose create was acknowledged to nobody, in words. True
/// only while nobody waits for an answer.
std::vector<std::string> unknown_vms(const ledger& of, const shown_state& shown);

} // namespace novacron::chaos
