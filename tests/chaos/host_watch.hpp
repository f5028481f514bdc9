#pragma once

#include "displaced_guests.hpp"
#include "lab.hpp"
#include "ledger.hpp"

namespace novacron::chaos {

/// Ids of the guests that run on a host, by its machine's process or by /proc; fails
/// when the machine can't be looked at.
result<std::set<std::string>> running_on(const lab& where, int node);

/// Looks at where the `ha` guests of a host run from when it is away, at all hosts'
/// machines, without asking a node. By the driver's thread.
class host_watch {
public:
  using clock = std::chrono::steady_clock;

  /// Make it before the host goes away: whoever runs there now is watched.
  host_watch(const lab& where, const ledger& book, int node);

  /// `off`: there is no machine to look at.
  void look(bool off);

  [[nodiscard]] const displaced_guests& guests() const { return guests_; }
  [[nodiscard]] clock::time_point begin() const { return begin_; }
  /// Their image is on no other host: they can't run elsewhere.
  [[nodiscard]] bool bound() const { return lab_.is_real(node_); }
  /// Nothing is left to be seen: none has been seen there, and, if they can, they run elsewhere.
  [[nodiscard]] bool over() const {
    return guests_.ended_there() && (bound() || missing().empty());
  }
  /// As `displaced_guests` says, of those that nobody has asked for anything else of
  /// since it began.
  [[nodiscard]] std::optional<clock::time_point> run_elsewhere() const;
  [[nodiscard]] std::vector<std::string> missing() const;

private:
  [[nodiscard]] std::set<std::string> guests_there() const;
  [[nodiscard]] std::set<std::string> only_ha(std::set<std::string> ids) const;
  [[nodiscard]] displaced_guests::due_rule due() const;

  const lab& lab_;
  const ledger& ledger_;
  const int node_;
  const clock::time_point begin_ = clock::now();
  displaced_guests guests_;
};

} // namespace novacron::chaos
