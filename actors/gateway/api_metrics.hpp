#pragma once

#include "actors/gateway/problem.hpp"
#include "actors/gateway/router.hpp"
#include "actors/gateway/shed_count.hpp"
#include "messages/changes.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <string>

namespace prometheus {
class Registry;
}

namespace novacron {

/// What the gateway counts, in Prometheus' terms; all names start with
/// "novacron_". Safe from any thread. With the registry of an earlier gateway
/// it goes on counting where that one ended. `sheds`, if given, counts what is sent away, too.
class api_metrics {
public:
  explicit api_metrics(std::shared_ptr<prometheus::Registry> registry,
                       std::shared_ptr<shed_count> sheds = nullptr);
  ~api_metrics();
  api_metrics(const api_metrics&) = delete;
  api_metrics& operator=(const api_metrics&) = delete;

  /// `which` is null for a request that had no route.
  void answered(const route* which, unsigned status, std::chrono::duration<double> took);
  void websockets(int difference);
  /// A request, or a connection before it asked for anything, was sent away.
  void shed(shed_reason why);
  /// What the edge holds at this moment.
  struct load {
    size_t connections = 0;
    size_t in_flight = 0;
    size_t body_bytes = 0;
    size_t answer_bytes = 0;
  };
  void holds(const load& now);
  /// Counts operations and migrations as they end.
  void changed(const any_record& record);

  /// The text that Prometheus scrapes. `vms_by_state` by the number of `actual_state`.
  std::string scrape(const std::array<uint64_t, 9>& vms_by_state);

private:
  struct families;
  std::shared_ptr<prometheus::Registry> registry_;
  std::shared_ptr<shed_count> sheds_;
  std::unique_ptr<families> families_;
};

} // namespace novacron
