#pragma once

#include "messages/commands.hpp"
#include "storage/replica.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace novacron {

/// One thing to do so that the members become what operators wish.
struct member_step {
  std::variant<member_change, wish_member> what; ///< done by the engine; or put into the log
  std::string words;                             ///< "promote node-4"
};

/// What is to be done, in order, one after the other. Some of it may not be
/// possible yet. Pure.
std::vector<member_step> member_steps(const std::vector<node_record>& nodes,
                                      const replica_status& status);

/// What nobody can do anything about but an operator: a sentence each.
std::vector<std::string> member_problems(const std::vector<node_record>& nodes,
                                         const replica_status& status);

/// The leader's half of membership: sees to what operators wish of nodes.
///
/// The problem: to replace a voter takes four changes of the group, each of which
/// may take minutes, be refused for want of a majority, or outlive the leader that
/// began it. So nothing of it is kept here: the wishes are in the log, what is so
/// the group itself says, and each leader does what lies between. What could not
/// be done is tried again, and doesn't keep the rest waiting.
///
/// Pure.
class member_watch {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// What to do now; then say `ended`. Nothing: all is well, or one is under way.
  std::optional<member_step> next(const std::vector<node_record>& nodes,
                                  const replica_status& status, time_point now);
  /// Empty: it is done.
  void ended(const std::string& problem, time_point now);
  /// We don't lead any more, or not yet.
  void forget();

  /// What is under way, and what holds up the rest. Empty: all is as wished.
  [[nodiscard]] std::string doing() const;

private:
  struct setback {
    std::string problem;
    time_point again;
  };

  std::optional<std::string> running_; ///< its words
  std::map<std::string, setback> setbacks_;
  std::vector<std::string> problems_;
};

} // namespace novacron
