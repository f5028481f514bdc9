#pragma once

#include "actors/gateway/gateway_config.hpp"

#include <memory>

namespace novacron {

class api;
class view_table;

/// Speaks HTTP/1.1 and WebSocket on the gateway's ports, with threads of its
/// own: bytes to requests for the `api`, its answers to bytes. Everything a
/// client can make it hold is bounded by `gateway_limits`.
class http_edge {
public:
  /// Starts. `config.ports` must be set.
  http_edge(const gateway_config& config, std::shared_ptr<const api> served,
            std::shared_ptr<view_table> view);
  /// Closes every connection and ends the threads, within about a second.
  ~http_edge();
  http_edge(const http_edge&) = delete;
  http_edge& operator=(const http_edge&) = delete;

private:
  struct threads;
  std::unique_ptr<threads> threads_;
};

} // namespace novacron
