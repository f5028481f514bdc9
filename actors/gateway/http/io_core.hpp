#pragma once

#include "actors/gateway/gateway_config.hpp"
#include "actors/gateway/http/byte_budget.hpp"
#include "actors/gateway/router.hpp"

#include <array>
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

/// An answer up to this size is always sent: a change that was made must be told.
inline constexpr size_t small_answer = 16u << 10;

/// What all of an edge's threads share.
struct edge_shared {
  explicit edge_shared(const gateway_limits& x)
      : limits{x}, bodies{x.bodies_bytes}, answers{x.answers_bytes} {
    // nop
  }

  /// Open ones that came by a door, those that are only told to come back included.
  std::atomic<size_t>& connections_of(listener door) {
    return connections[static_cast<size_t>(door)];
  }

  gateway_limits limits;
  std::shared_ptr<const api> served;
  std::shared_ptr<view_table> view;
  std::array<std::atomic<size_t>, 2> connections{};
  std::atomic<size_t> in_flight = 0;
  std::atomic<bool> listens = true; ///< at the API's port; else soon, where that is shared
  byte_budget bodies;               ///< of requests, while they are read and understood
  byte_budget answers;              ///< that are larger than `small_answer`, until they were sent
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

/// A frame of events that several sockets send: made once, and held once.
struct event_frame {
  uint64_t position = 0;
  uint64_t next = 0;
  std::string text;
  byte_share held;
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
  std::shared_ptr<const event_frame> frame;                   ///< the latest that was made
  std::array<char, 64u << 10> refuse{};                       ///< what is read to be thrown away
  bool stopping = false;
};

/// What becomes of a connection that was accepted.
enum class admission : uint8_t {
  served,
  sent_away, ///< 503, then it is closed
};

/// Speaks HTTP on a connection that was accepted, and counted by its door. Call on
/// the core's thread.
void start_connection(const std::shared_ptr<io_core>& core, tcp_socket socket, listener door,
                      admission how);

} // namespace novacron
