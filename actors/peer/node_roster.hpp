#pragma once

#include "messages/address.hpp"
#include "messages/changes.hpp"

#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace novacron {

/// Where a controller's door is, as it has told the log.
struct known_controller {
  node_id node;
  address door;

  friend bool operator==(const known_controller&, const known_controller&) = default;
};

/// What this node remembers of the others: who was removed, and where controllers
/// are. Written by the roster's actor, read by doors and links. Safe from any thread.
///
/// The problem: a certificate is valid for years, and the node that it was taken
/// from may come back at any moment, also to one that has just restarted and has
/// read nothing of the state yet. So it is kept in a file of the node's own folder.
/// It only ever grows: removal is for ever.
class node_roster {
public:
  /// Kept in memory only.
  node_roster() = default;
  /// Reads `file`, if it is there. What can't be read in it is skipped.
  explicit node_roster(std::filesystem::path file);

  [[nodiscard]] bool removed(node_id node) const;
  /// Those that weren't removed, by id.
  [[nodiscard]] std::vector<known_controller> controllers() const;

  void put(const node_record& node);
  /// Writes what is new to the file. Blocks. False: `errno` says why.
  bool save();

private:
  [[nodiscard]] std::string text() const;

  std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::set<node_id> removed_;
  std::map<node_id, address> controllers_;
  bool saved_ = true;
};

} // namespace novacron
