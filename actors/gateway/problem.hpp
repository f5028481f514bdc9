#pragma once

#include "messages/commands.hpp"

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>

namespace novacron {

/// Why a request is not answered with what it asked for: an RFC 9457 problem.
struct problem {
  std::string code; ///< the last part of `type`; stable, for programs
  unsigned status = 500;
  std::string title;  ///< the same for every problem of this code
  std::string detail; ///< this one: what, why, and last what to do
  std::string field;  ///< of the input: a JSON pointer, "?parameter" or a header's name
  std::string allow;  ///< of a 405: the methods that would do
};

/// What was parsed, or the problem to answer with.
template <class T>
using parsed = boost::system::result<T, problem>;

/// Called by `parsed::value()` when there is no value: a programmer's mistake.
[[noreturn]] inline void throw_exception_from_error(const problem& why,
                                                    const boost::source_location&) {
  throw std::logic_error{why.title + ": " + why.detail};
}

/// The body of an `application/problem+json` answer.
std::string to_json(const problem& x);

/// The one mapping from a command's refusal to a problem.
problem problem_of(const command_outcome& outcome);

/// 400 for an input that breaks a rule; `detail` says the rule.
problem bad_field(std::string field, std::string detail);
problem bad_request(std::string detail);
problem no_such(std::string_view what, std::string_view id);
problem unauthorized();
problem no_such_path(std::string_view path);
problem method_not_allowed(std::string_view method, std::string_view allow);
problem body_too_large(size_t limit);
problem headers_too_large(size_t bytes, size_t fields);
/// Why a request that may be a good one is sent away: there is too much to do.
enum class shed_reason : uint8_t {
  connections, ///< too many are open
  in_flight,   ///< too many requests wait for an answer
  strangers,   ///< too many of them without a token
  bodies,      ///< too many bytes of bodies are being read
  answers,     ///< too many bytes of answers are being sent
  waits,       ///< too many wait for a revision
};
inline constexpr size_t shed_reasons = 6;
problem overloaded(shed_reason why);
/// The view isn't complete, or is behind the revision that was asked for.
problem view_behind(std::string detail);
/// What was asked needs a leader, and there is none.
problem no_leader(std::string detail);
/// Nobody said what became of the proposal.
problem outcome_unknown();
/// The events asked for are not kept any more.
problem events_too_old(uint64_t since);

} // namespace novacron
