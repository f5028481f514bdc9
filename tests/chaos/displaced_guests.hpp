#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace novacron::chaos {

/// Where `ha` guests were seen to run, at one moment.
struct guest_sighting {
  std::chrono::steady_clock::time_point at;
  bool seen = false;               ///< the host that is away could be looked at, or is off
  std::set<std::string> there;     ///< ids, on the host that is away
  std::set<std::string> elsewhere; ///< ids, on any other
};

/// What becomes of the `ha` guests of a host from when it is cut off or off.
/// Pure.
///
/// The problem: a guest may move, stop and be deleted meanwhile, since its user
/// asks for it. So each guest is timed by itself, and who asks for the times
/// says which of them must still run.
class displaced_guests {
public:
  using time_point = std::chrono::steady_clock::time_point;
  /// Whether this guest must still run.
  using due_rule = std::function<bool(const std::string&)>;

  /// `guests`: the `ha` guests that ran there when it began.
  explicit displaced_guests(std::set<std::string> guests) : guests_{std::move(guests)} {
    // nop
  }

  void add(const guest_sighting& sight);

  [[nodiscard]] const std::set<std::string>& guests() const { return guests_; }
  /// Since when no `ha` guest has been seen there, those too that came after the
  /// beginning; none: one was seen at the last look.
  [[nodiscard]] std::optional<time_point> ended_there() const { return ended_; }
  /// When the last of those that are due was first seen elsewhere; none: one wasn't,
  /// or none is due.
  [[nodiscard]] std::optional<time_point> run_elsewhere(const due_rule& due) const;
  /// Those that are due and weren't seen elsewhere.
  [[nodiscard]] std::vector<std::string> missing(const due_rule& due) const;
  /// Those that ran there at the last look.
  [[nodiscard]] const std::set<std::string>& left() const { return left_; }

private:
  std::set<std::string> guests_;
  std::set<std::string> left_;
  std::map<std::string, time_point> elsewhere_; ///< when they were first seen there
  std::optional<time_point> ended_;
};

} // namespace novacron::chaos
