#pragma once

#include "actors/gateway/gateway_config.hpp"
#include "actors/gateway/router.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <unordered_set>

namespace novacron {

class api;
class view_table;

namespace asio = boost::asio;

/// One executor type everywhere: type erasure costs time at every step.
using io_executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, io_executor>;

/// What all of an edge's threads share.
struct edge_shared {
  gateway_limits limits;
  std::shared_ptr<const api> served;
  std::shared_ptr<view_table> view;
  std::atomic<size_t> connections = 0;
  std::atomic<size_t> in_flight = 0;
};

/// An open connection. Lives on one thread, kept by its `io_core`.
class session : public std::enable_shared_from_this<session> {
public:
  virtual ~session() = default;
  /// Cancels what it waits for; it removes itself from the core.
  virtual void close() = 0;
  /// Wants the events: there may be new ones.
  virtual void pump() {}
};

/// A frame of events that several sockets send: made once.
struct event_frame {
  uint64_t position = 0;
  uint64_t next = 0;
  std::shared_ptr<const std::string> text;
};

/// One thread's part of the edge. Other threads only ever `post` to its `io`,
/// and hold it weakly while they do.
struct io_core {
  explicit io_core(std::shared_ptr<edge_shared> x) : shared{std::move(x)}, timer{io} {
    // nop
  }

  std::shared_ptr<edge_shared> shared;
  asio::io_context io{1};
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, io_executor>
      timer;
  std::unordered_set<std::shared_ptr<session>> sessions;
  std::unordered_set<std::shared_ptr<session>> event_sockets; ///< a part of `sessions`
  event_frame frame;                                          ///< the latest that was made
  bool stopping = false;
};

/// Serves HTTP on a connection that was accepted. Call on the core's thread.
void start_connection(const std::shared_ptr<io_core>& core, tcp_socket socket, listener door);

} // namespace novacron
