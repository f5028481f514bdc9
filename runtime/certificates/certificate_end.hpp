#pragma once

#include "actors/log/log.hpp"
#include "dwcp/session/session.hpp"

#include <chrono>
#include <vector>

namespace novacron {

/// When a certificate ends, as "2028-11-25" in UTC for people.
result<std::chrono::sys_seconds> end_of_certificate(std::string_view pem);
std::string to_date(std::chrono::sys_seconds time);

/// A certificate that a running node stands on.
struct certificate_end {
  std::filesystem::path file; ///< as the node's file names it
  std::chrono::sys_seconds end;
  bool authority = false; ///< it is the CA's
};

/// Those of a node: its own and the CA's. Fails when one can't be read.
result<std::vector<certificate_end>> ends_of(const tls_files& files);

/// Logs a warning for each that ends within 30 days of `now`, or has ended. To be
/// called when the node starts, and once a day.
void warn_of_ends(const std::vector<certificate_end>& ends, std::chrono::sys_seconds now,
                  const logger& log);

} // namespace novacron
