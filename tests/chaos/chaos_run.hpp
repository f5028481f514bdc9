#pragma once

#include "actor_kills.hpp"
#include "chaos_summary.hpp"
#include "fault_plan.hpp"
#include "injection.hpp"
#include "ledger.hpp"
#include "observer.hpp"
#include "run_census.hpp"
#include "settle_rule.hpp"
#include "users.hpp"

#include <atomic>
#include <iosfwd>

namespace novacron::chaos {

struct chaos_options {
  lab_options where;
  std::filesystem::path faults = "tests/chaos/faults.toml";
  std::chrono::seconds lasts{2'100}; ///< about; a fault that has begun is ended in order
  bool short_form = false;           ///< each fault once, as short as it may be
  uint64_t actor_kills = 1'000;      ///< in all, at least, if time allows
  int user_count = 4;
  std::string only; ///< faults whose names hold this; empty: all
};

/// The story: one fault after the other under load, then two at a time, and after each of them
/// the reckoning. What is found wrong is said at once, and in the summary.
class chaos_run {
public:
  chaos_run(const chaos_options& options, std::ostream& out, const std::atomic<bool>& cancelled);

  chaos_summary run();

private:
  using clock = std::chrono::steady_clock;

  void begin();
  void one_after_the_other();
  void mixed();
  void the_rest_of_the_kills();
  void end();

  void run_fault(const fault& what);
  void kill_actors(const fault& what, size_t count);
  /// The next one, of its kind's turn.
  std::optional<killed_actor> kill_next_actor();
  void run_two(const fault& left, const fault& right);
  void run_pair(const fault_pair& pair);
  /// The injection's whole life, and what was measured of it.
  fault_run live_through(std::vector<injection>& injected, const fault& what,
                         std::chrono::milliseconds lasts);
  void await_back(const injection& killed);
  /// Where the host's guests went, and when; they must have gone.
  void judge_watch(const host_watch& watch, const fault& what, uint64_t counted,
                   fault_run& measured);
  void judge_mix(const shown_state& shown);
  /// Each kind of actor must have been killed.
  void judge_kills();
  /// The first write that was sent at `from` or later, when it was acknowledged.
  [[nodiscard]] std::optional<clock::time_point> await_write(clock::time_point from) const;
  /// Nobody asks; all that was asked for must come to its end, and be there.
  std::chrono::milliseconds settle(const std::string& after);
  void start_what_ended(const std::vector<std::string>& ids);
  void check_books(const std::string& after, const shown_state& shown);
  void check_census(const std::string& after);
  void violated(std::vector<std::string>& list, const std::string& what);
  fault_summary& summary_of(const fault& what);
  void say(const std::string& text);
  /// Of the order as planned; what must be shown once is shown, whatever it takes.
  [[nodiscard]] bool time_is_over() const;
  [[nodiscard]] bool must_stop() const { return cancelled_ || hopeless_; }
  [[nodiscard]] fault_scene scene();

  const chaos_options& options_;
  std::ostream& out_;
  const std::atomic<bool>& cancelled_;
  const plan_size size_;
  const clock::time_point begin_;
  std::mt19937_64 random_;
  std::vector<fault> plan_;
  chaos_summary summary_;
  size_t turn_ = 0;             ///< of the kinds of actors
  std::set<std::string> kinds_; ///< of actors, all that are to be killed
  size_t started_ = 0;          ///< starts of guests that had ended, for their keys
  std::set<std::string> said_;
  bool hopeless_ = false; ///< something didn't settle, or nobody can be killed: it goes no further
  lab lab_;
  ledger ledger_;
  run_census census_;
  std::optional<observer> observer_;
  std::optional<users> users_;
};

} // namespace novacron::chaos
