#pragma once

#include "actors/log/log.hpp"
#include "actors/peer/back_off.hpp"
#include "actors/peer/hello_proof.hpp"
#include "actors/peer/known_nodes.hpp"
#include "actors/peer/mesh_ports.hpp"
#include "actors/peer/node_roster.hpp"
#include "actors/peer/standing_links.hpp"
#include "messages/actors.hpp"
#include "messages/address.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace novacron {

struct link_config {
  std::shared_ptr<const mesh_identity> self;
  address remote;                         ///< of the other node's door
  node_id expected_node;                  ///< nil: any of the cluster
  std::optional<node_role> expected_role; ///< unset: any
  bool dial = true;                   ///< false: only over a connection that the other node made
  bool temporary = false;             ///< ends when it goes down after it stood
  std::shared_ptr<known_nodes> known; ///< may be null
  std::shared_ptr<const node_roster> roster; ///< whom not to speak to any more; may be null
  std::shared_ptr<standing_links> standing;  ///< kept up to date; may be null
  bool chaos = false;                        ///< may the other node kill actors here?
  /// Where such kills go; asked for each. May be empty.
  std::function<supervisor_actor()> supervisor;
  logger log;
  std::function<double()> chance; ///< from [0, 1), for the back-off; empty: always 0
  mesh_ports ports;
};

struct link_state {
  link_state() = default;
  ~link_state(); ///< tells those whose requests are on the way

  link_config config;
  door_actor candidate; ///< a door that has not proved who it is
  door_actor door;      ///< valid while the link is up
  node_identity remote; ///< valid while the link is up
  uint64_t attempt = 0; ///< answers to earlier attempts are ignored
  bool trying = false;
  back_off wait{std::chrono::milliseconds{50}, std::chrono::milliseconds{2'000}};
  std::chrono::steady_clock::time_point not_before;
  std::string last_problem; ///< said once, not at every attempt
  /// Requests on the way; each fails when the link does.
  std::map<uint64_t, std::function<void(const caf::error&)>> open;
  uint64_t last_request = 0;
  static constexpr const char* name = "link";
};

/// Keeps a connection to one node: connects, proves who it is and lets the door
/// do the same, passes requests on, and starts over, ever more slowly, whenever
/// the door is gone. While it is down, requests fail at once.
link_actor::behavior_type link(link_actor::stateful_pointer<link_state> self, link_config config);

} // namespace novacron
