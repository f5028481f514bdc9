#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <system_error>

namespace novacron {

/// Why something failed: a code to decide on and a sentence for people.
///
/// The sentence names what failed, on what, why, and last what to do about it.
struct failure {
  std::error_code code; ///< of the failing module's own category
  std::string message;
};

/// A value, or the reason why there is none.
template <class T>
using result = boost::system::result<T, failure>;

/// Called by `result::value()` when there is no value: a programmer's mistake.
[[noreturn]] inline void throw_exception_from_error(const failure& why,
                                                    const boost::source_location&) {
  throw std::system_error{why.code, why.message};
}

} // namespace novacron
