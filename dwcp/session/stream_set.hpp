#pragma once

#include "dwcp/transport/frame.hpp"
#include "dwcp/transport/tls_stream.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace novacron {

/// The connections of one session, at either end: a thread that reads and one
/// that writes for each. Whichever writer is free takes the next batch, so a
/// slow connection takes fewer; all else goes over the first connection, in
/// order. Idle connections carry a keepalive every quarter of `silence_limit`.
///
/// How it ends: `farewell` lets each writer finish its frame, tell the peer the
/// reason, and close its direction, while the readers go on until the peer has
/// closed, too. So a reason always arrives before the end of its connection.
class stream_set {
public:
  struct callbacks {
    /// A frame but for keepalive and abort; on a reader's thread. May block, but
    /// not after `farewell`. A failure ends the session.
    std::function<result<void>(frame)> arrived;
    /// A connection broke, was silent for too long, or brought the peer's abort.
    std::function<void(failure)> broke;
    /// Something was written.
    std::function<void()> progressed;
  };

  stream_set(uint64_t session, std::chrono::milliseconds silence_limit, callbacks calls);
  stream_set(const stream_set&) = delete;
  stream_set& operator=(const stream_set&) = delete;
  /// Breaks what is left and joins. Not from a thread of the set's own.
  ~stream_set();

  /// Adds a connection whose handshake is done.
  void add(std::unique_ptr<tls_stream> stream);
  /// Queues a frame for whichever connection is free first.
  void send(frame x);
  /// Queues a frame for the first connection.
  void send_first(frame x);
  /// Sends this acknowledgement before anything else, instead of one that waits.
  void acknowledge(frame x);

  [[nodiscard]] uint32_t size() const;
  [[nodiscard]] size_t queued_bytes() const;       ///< of `send`, not yet being written
  [[nodiscard]] size_t queued_first_bytes() const; ///< of `send_first`
  /// Nothing waits and nothing is being written.
  [[nodiscard]] bool idle() const;

  /// Ends the session; `last_words`, if any, instead of all that is queued.
  void farewell(std::optional<frame> last_words);
  /// Waits for the peer's end of all connections.
  void await_ends(deadline until);
  /// As `await_ends`, for our own end as well; then breaks what is left and joins.
  /// After `farewell`.
  void close(deadline until);

private:
  struct connection {
    std::unique_ptr<tls_stream> stream;
    std::thread reader;
    std::thread writer;
    bool read_ended = false;
    bool write_ended = false;
  };

  void read_all(connection& x);
  void write_all(connection& x, bool first);
  void write_frames(connection& x, bool first);
  std::optional<frame> next_frame(std::unique_lock<std::mutex>& lock, bool first);
  std::optional<frame> take_frame(bool first);
  void write_failed(connection& x, const failure& why);

  const uint64_t session_;
  const std::chrono::milliseconds silence_limit_;
  const callbacks calls_;
  wakeup broken_; ///< raised: leave every wait
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<connection>> connections_;
  std::deque<frame> queue_;
  std::deque<frame> first_queue_;
  std::optional<frame> acknowledgement_;
  size_t queued_bytes_ = 0;
  size_t queued_first_bytes_ = 0;
  size_t writing_ = 0;
  bool farewell_ = false;
  std::optional<frame> last_words_;
  deadline farewell_until_ = deadline::max();
};

} // namespace novacron
