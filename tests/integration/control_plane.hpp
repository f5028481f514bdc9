#pragma once

#include "messages/changes.hpp"
#include "messages/commands.hpp"
#include "storage/replica.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace caf {
class actor_system;
}

namespace novacron::test {

struct control_actors;

/// A controller of one voter in this process: replica, feed, scheduler,
/// frontend. Calls block; any thread that isn't an actor's.
class control_plane {
public:
  control_plane(caf::actor_system& system, const std::filesystem::path& folder);
  ~control_plane();
  control_plane(const control_plane&) = delete;
  control_plane& operator=(const control_plane&) = delete;

  /// As SIGKILL: nobody answers any more, and nothing that wasn't stored is left.
  void kill();
  /// Starts it anew, from what its folder has. Who has handles of it must take new ones.
  void start();

  /// Ends the test when nobody answers.
  command_outcome propose(command_body what);
  /// All records; ends the test when nobody answers.
  std::vector<any_record> records();

  template <class Record>
  std::vector<Record> all() {
    std::vector<Record> found;
    for (const auto& each : records())
      if (auto* record = std::get_if<Record>(&each))
        found.push_back(*record);
    return found;
  }

  template <class Record, class Id>
  std::optional<Record> find(const Id& id) {
    for (const auto& each : all<Record>())
      if (each.id == id)
        return each;
    return std::nullopt;
  }

  [[nodiscard]] const control_actors& actors() const { return *actors_; }

private:
  caf::actor_system& system_;
  replica_config config_;
  std::unique_ptr<control_actors> actors_;
};

} // namespace novacron::test
