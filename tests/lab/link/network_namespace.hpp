#pragma once

#include "messages/descriptor.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace novacron::lab {

/// A network namespace of its own, under a name by which `ip netns exec` finds
/// it. Root's. It goes with its owner; one whose owner was killed is removed by
/// `remove_abandoned`, since the owner's pid is part of the name.
class network_namespace {
public:
  /// Named `novacron-<pid>-<suffix>`. Throws std::system_error.
  explicit network_namespace(const std::string& suffix);
  ~network_namespace();
  network_namespace(const network_namespace&) = delete;
  network_namespace& operator=(const network_namespace&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Runs it in a thread that is in the namespace: what it opens is the namespace's
  /// for good. Passes its exception on.
  void inside(const std::function<void()>& what) const;

  /// Removes those of processes that are gone.
  static void remove_abandoned();

private:
  std::string name_;
  std::filesystem::path file_;
  descriptor handle_;
};

} // namespace novacron::lab
