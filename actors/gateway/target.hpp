#pragma once

#include "actors/gateway/problem.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace novacron {

/// A request's target (RFC 9112, 3.2), taken apart: "/a/b?c=d".
struct request_target {
  std::string path;                         ///< as it was sent
  std::vector<std::string> segments;        ///< percent-decoded, without empty ones
  std::map<std::string, std::string> query; ///< percent-decoded

  [[nodiscard]] const std::string* find(const std::string& parameter) const;
};

/// Refuses bad percent-encoding and a parameter that stands twice.
parsed<request_target> parse_target(std::string_view target);

/// 400 naming the first parameter that isn't among `known`.
parsed<void> only_parameters(const request_target& target,
                             const std::vector<std::string_view>& known);

/// A whole number within [low, high], `fallback` if the parameter is absent.
parsed<uint64_t> number_parameter(const request_target& target, const std::string& name,
                                  uint64_t low, uint64_t high, uint64_t fallback);

/// As in "30s" or "500ms"; zero if absent; cut to `longest`.
parsed<std::chrono::milliseconds> duration_parameter(const request_target& target,
                                                     const std::string& name,
                                                     std::chrono::milliseconds longest);

} // namespace novacron
