#pragma once

#include "messages/descriptor.hpp"

#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <string>

namespace novacron::lab {

/// QEMU's own interface for machines: a command and its answer, one at a time.
/// For one thread. Throws std::runtime_error when QEMU refuses, is silent, or gone.
class qmp {
public:
  /// Connects to a QEMU that may still be starting.
  explicit qmp(const std::filesystem::path& socket);

  boost::json::value call(const std::string& command, boost::json::object arguments = {});

  /// When QEMU said that this happened, by the system's clock; false: not yet.
  /// Reads what has come, and doesn't wait.
  [[nodiscard]] bool saw(const std::string& event);
  [[nodiscard]] std::chrono::system_clock::time_point time_of(const std::string& event) const {
    return events_.at(event);
  }

private:
  /// The next message; an empty one when none comes within `limit`.
  boost::json::object receive(std::chrono::milliseconds limit);
  void note(const boost::json::object& event);

  descriptor socket_;
  std::string input_;
  std::map<std::string, std::chrono::system_clock::time_point> events_; ///< the last of each
};

} // namespace novacron::lab
