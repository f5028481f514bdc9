#pragma once

#include "dwcp/session/session.hpp"
#include "messages/records.hpp"

#include <optional>
#include <string>

namespace novacron {

/// What a migration's page session cost, as its source counted; the duration is the log's to
/// say.
migration_cost cost_of(const session_statistics& pages);

/// A line for the log when more of the guest's stream travelled as it was than a stream that
/// DWCP knows has: more than a twentieth. Says of what kind it was.
std::optional<std::string> raw_warning(const session_statistics& pages);

} // namespace novacron
