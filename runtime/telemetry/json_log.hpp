#pragma once

#include "actors/log/log.hpp"
#include "messages/result.hpp"
#include "runtime/config/node_config.hpp"

#include <memory>

namespace novacron {

/// A log of one JSON object per line:
///
///     {"time":"2026-01-31T12:00:00.000Z","level":"info","node":"node-1",
///      "module":"migration","message":"committed","migration":"9f1c…"}
///
/// Lines wait in a bounded queue for a thread of the log's own; when a disk is
/// too slow for them the oldest are dropped, and that this happened is logged later.
/// A file that is full becomes `node.1.log`, and so on; three full ones are kept.
class json_log : public log_sink {
public:
  /// Waits until everything was written, at most a second.
  virtual void flush() = 0;
};

/// Opens the log of the node called `name`. Fails when the file can't be written.
result<std::shared_ptr<json_log>> open_json_log(const log_section& section,
                                                const std::string& name);

} // namespace novacron
