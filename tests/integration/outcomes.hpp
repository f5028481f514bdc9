#pragma once

#include "hypervisor/errors.hpp"

#include <doctest/doctest.h>
#include <utility>

namespace novacron::test {

/// The value; ends the test, with the reason, where there is none.
template <class T>
T value_of(result<T> outcome) {
  REQUIRE_MESSAGE(outcome.has_value(), (outcome ? std::string{} : outcome.error().message));
  if constexpr (!std::is_void_v<T>)
    return std::move(*outcome);
}

/// Why it failed; the empty code when it did not.
template <class T>
std::error_code code_of(const result<T>& outcome) {
  return outcome ? std::error_code{} : outcome.error().code;
}

/// Whether it succeeded; says why when it did not.
template <class T>
bool done(const result<T>& outcome) {
  CHECK_MESSAGE(outcome.has_value(), (outcome ? std::string{} : outcome.error().message));
  return outcome.has_value();
}

} // namespace novacron::test
