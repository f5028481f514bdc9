#pragma once

#include "any_host.hpp"
#include "node_process.hpp"
#include "page_plane.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>

namespace novacron::sim {

/// A host whose agent is a process of real actors.
class host_process final : public any_host {
public:
  host_process(actor_world& all, page_plane& pages, uint64_t number);
  ~host_process() override;

  [[nodiscard]] bool up() const override;
  void start() override;
  void crash() override;
  void freeze(uint64_t for_ms) override;
  void thaw() override;
  [[nodiscard]] bool frozen() const override;
  void kill_some_actor() override;

private:
  class agent;

  void go_dark() override;
  void ended();
  /// Hands work to the pool's threads, which block in it.
  void run(const uuid* key, std::function<void()> work);
  void run_next(const uuid& key);
  /// Makes a call on one of those threads; frozen, it waits.
  void make(const std::function<void()>& work, const std::function<void()>& then);

  actor_world& all_;
  page_plane& pages_;
  uint64_t freezes_ = 0;
  std::map<uuid, std::deque<std::function<void()>>> work_;
  std::shared_ptr<host_context> context_; ///< of the process that runs
  std::unique_ptr<agent> agent_;
};

} // namespace novacron::sim
