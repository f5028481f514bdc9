#pragma once

#include "dwcp/errors.hpp"
#include "dwcp/transport/frame.hpp"
#include "dwcp/transport/peer_identity.hpp"
#include "dwcp/transport/tls_context.hpp"
#include "dwcp/transport/wakeup.hpp"
#include "dwcp/transport/wire_counter.hpp"
#include "messages/descriptor.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>

struct ssl_st;

namespace novacron {

/// One TLS connection that carries frames. One thread may read while another
/// writes; no two may read, no two may write.
///
/// The socket is non-blocking and the TLS state is locked only while bytes are
/// moved, never while waiting: a reader that waits doesn't stop the writer.
class tls_stream {
public:
  enum class end { client, server };

  /// Takes a connected socket. `counter` counts below TLS from here on.
  tls_stream(const tls_context& context, descriptor socket, end which,
             std::shared_ptr<wire_counter> counter);

  /// Both ends prove who they are. `unauthorised`, `timed_out`, `stream_broken`
  /// or `cancelled` (`stop` was raised).
  result<peer_identity> handshake(const wakeup& stop, deadline until);

  /// Both ends have proved that they are of the cluster.
  [[nodiscard]] bool established();

  /// The next frame. `silence` is how long not a single byte may come; the
  /// whole frame must be there before `until`.
  result<frame> read_frame(const wakeup& stop, std::chrono::milliseconds silence,
                           deadline until = deadline::max());

  /// Writes a frame; waits as long as the other end takes its bytes, but not
  /// longer than `until`.
  result<void> write_frame(const frame& x, const wakeup& stop, deadline until = deadline::max());

  /// Ends both directions at once, so that the other end needn't wait to find out.
  /// While others read and write: they fail soon.
  void sever();

  /// Says that no more is written; the other end may go on.
  void close_write();

  /// Discards what still comes, until the other end closes. A socket that is
  /// closed with something unread takes back what it has sent last. After it
  /// nothing can be read.
  void drain(const wakeup& stop, deadline until);

  /// For what TCP says of it, and is told.
  [[nodiscard]] const descriptor& socket() const { return socket_; }

private:
  struct ssl_deleter {
    void operator()(ssl_st* ssl) const;
  };
  using operation = int (*)(ssl_st*, void*, size_t, size_t*);

  result<size_t> move_bytes(operation what, void* bytes, size_t size, const wakeup& stop,
                            deadline until, const char* doing);
  result<void> read_exactly(std::span<std::byte> out, const wakeup& stop,
                            std::chrono::milliseconds silence, deadline until);
  result<void> write_all(std::span<const std::byte> in, const wakeup& stop, deadline until);

  std::shared_ptr<wire_counter> counter_;
  descriptor socket_;
  std::mutex mutex_; ///< guards ssl_
  std::unique_ptr<ssl_st, ssl_deleter> ssl_;
  end which_;
};

} // namespace novacron
