#pragma once

#include "actors/gateway/join_desk.hpp"
#include "messages/ids.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace prometheus {
class Registry;
}

namespace novacron {

class gateway_ports;
class shed_count;

/// An API token: 256 random bits, of which only the SHA-256 is kept.
struct api_token {
  std::string principal;
  std::string sha256; ///< 64 hexadecimal digits
};

/// What one client, or all of them, may take of a gateway.
struct gateway_limits {
  size_t header_bytes = 8'192;
  size_t body_bytes = 1u << 20;
  size_t open_body_bytes = 16u << 10; ///< of a request that needs no token
  size_t connections = 10'000;        ///< and at most half of the process's descriptors
  size_t operator_connections = 64;
  size_t in_flight = 4'096;          ///< requests that wait for an answer; beyond: 503
  size_t bodies_bytes = 64u << 20;   ///< of bodies that are being read, of all connections
  size_t answers_bytes = 128u << 20; ///< of large answers and frames that are being sent
  size_t events_per_frame = 1'000;
  std::chrono::milliseconds header_time{10'000};
  std::chrono::milliseconds body_time{30'000};
  std::chrono::milliseconds write_time{30'000};
  std::chrono::milliseconds idle_time{75'000};     ///< a kept connection without a request
  std::chrono::milliseconds event_interval{25};    ///< events of this long share a frame
  std::chrono::milliseconds proposal_time{5'000};  ///< until a proposal's outcome counts as unknown
  std::chrono::milliseconds status_time{3'000};    ///< how long the replicas' state may take
  std::chrono::milliseconds view_time{1'000};      ///< how long a read waits for its revision
  std::chrono::milliseconds longest_wait{300'000}; ///< of `?wait=`
};

struct gateway_config {
  std::string address = "127.0.0.1";
  uint16_t port = 7180;
  std::string operator_address = "127.0.0.1";
  std::optional<uint16_t> operator_port = 7190; ///< /metrics, without a token; or not at all
  bool share_port = false; ///< SO_REUSEPORT: several gateway processes on the API's port
  std::vector<api_token> tokens;
  node_id node;       ///< that the gateway belongs to
  bool chaos = false; ///< allow killing actors over the API
  size_t io_threads = 1;
  gateway_limits limits;
  std::optional<join_desk> joins; ///< nothing: no node joins by this gateway
  /// Where metrics are counted; made by the gateway if null.
  std::shared_ptr<prometheus::Registry> registry;
  /// Counts what it sends away, for `scale_out`; may be null.
  std::shared_ptr<shed_count> shed;
  /// Bound before actors start (`bind_gateway`), and kept while the gateway's
  /// actor restarts, so that clients see a pause and not a refusal. If null the
  /// actor binds by itself, and ends when it can't.
  std::shared_ptr<const gateway_ports> ports;
};

} // namespace novacron
