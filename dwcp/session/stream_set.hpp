#pragma once

#include "dwcp/session/kept_frames.hpp"
#include "dwcp/transport/frame.hpp"
#include "dwcp/transport/path_figures.hpp"
#include "dwcp/transport/tls_stream.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace novacron {

/// The connections of one session, at either end: a thread that reads and one
/// that writes for each. Whichever writer is free takes the next batch, so a
/// slow connection takes fewer; all else goes over one connection, in order.
/// Idle connections carry a keepalive every quarter of `silence_limit`.
///
/// A connection that breaks, or is silent for too long, takes nothing with it:
/// after `keep_frames` the frames that it carried and that nobody
/// has acknowledged are queued again. Another may take its place.
///
/// One that is merely slow holds up what came by the others: after `repeat_after` another carries
/// its frames as well (`kept_frames`).
///
/// How it ends: `farewell` lets each writer finish its frame, tell the peer the
/// reason, and close its direction, while the readers go on until the peer has
/// closed, too. So a reason always arrives before the end of its connection.
class stream_set {
public:
  struct callbacks {
    /// A frame but for keepalive and abort; on the reader's thread of that
    /// connection. May block, but not after `farewell`, nor once the connection is
    /// lost. A failure ends the session.
    std::function<result<void>(uint16_t connection, frame)> arrived;
    /// A connection broke or was silent for too long. Said once of each.
    std::function<void(uint16_t connection, failure)> lost;
    /// The peer broke the protocol, or has given up.
    std::function<void(failure)> failed;
    /// Something was written.
    std::function<void()> progressed;
  };

  stream_set(uint64_t session, std::chrono::milliseconds silence_limit, callbacks calls);
  stream_set(const stream_set&) = delete;
  stream_set& operator=(const stream_set&) = delete;
  /// Breaks what is left and joins. Not from a thread of the set's own.
  ~stream_set();

  /// Adds a connection whose handshake is done, or puts it in the place of the one
  /// of that number that was dropped. Throws where no threads or descriptors are to be had: the
  /// connection is closed then.
  void add(uint16_t number, std::unique_ptr<tls_stream> stream);
  /// Breaks a connection, if there is one of that number, and waits for its threads.
  /// Not from a thread of the set's own.
  void drop(uint16_t number);
  /// Frames of `send` are kept from here on, until they are acknowledged, in case
  /// their connection breaks.
  void keep_frames();
  /// The peer has what `send` was given below this sequence.
  void acknowledged(uint64_t sequence);
  /// How long the oldest frame that isn't acknowledged may be under way before a connection that
  /// is free carries it as well. For ever, as long as nothing is said. After `keep_frames`.
  void repeat_after(std::chrono::steady_clock::duration age);
  /// Queues a frame for whichever connection is free first.
  void send(frame x);
  /// Queues a frame for the first connection.
  void send_first(frame x);
  /// Sends this acknowledgement before anything else, instead of one that waits.
  void acknowledge(frame x);

  /// Those of a higher number take no frames from here on, as long as no connection is lost. They
  /// stay, with keepalives, until the session's end.
  void let_carry(unsigned connections);
  /// TCP's congestion control, as in "bbr", of these connections and of those to come; empty: what
  /// the kernel gave them. False where it can't be had; then all is as it was.
  bool set_congestion_control(const std::string& name);
  [[nodiscard]] std::string congestion_control() const; ///< empty without a connection
  /// Of all connections: counters in sum, the longest round trip beside the shortest.
  [[nodiscard]] path_figures path() const;

  [[nodiscard]] uint32_t size() const;             ///< connections that aren't lost
  [[nodiscard]] size_t queued_bytes() const;       ///< of `send`, not yet being written
  [[nodiscard]] size_t queued_first_bytes() const; ///< of `send_first`
  [[nodiscard]] size_t kept_bytes() const;         ///< of `send`, not yet acknowledged
  [[nodiscard]] uint64_t repeats() const;          ///< frames that a second connection carried
  /// Nothing waits and nothing is being written, but for what another connection carries as well.
  [[nodiscard]] bool idle() const;

  /// Ends the session; `last_words`, if any, instead of all that is queued.
  void farewell(std::optional<frame> last_words);
  /// From here on the peer may end its connections.
  void expect_ends();
  /// Waits for the peer's end of all connections.
  void await_ends(deadline until);
  /// As `await_ends`, for our own end as well; then breaks what is left and joins.
  /// After `farewell`.
  void close(deadline until);

private:
  struct connection {
    explicit connection(uint16_t its_number) : number{its_number} {}

    const uint16_t number;
    std::unique_ptr<tls_stream> stream;
    wakeup stop; ///< raised: leave every wait
    bool lost = false;
    shared_frame writing; ///< under way into its socket
    std::thread reader;
    std::thread writer;
    bool read_ended = false;
    bool write_ended = false;
  };

  void read_all(connection& x);
  void write_all(connection& x);
  void write_frames(connection& x);
  shared_frame next_frame(std::unique_lock<std::mutex>& lock, const connection& x);
  shared_frame take_frame(const connection& x);
  [[nodiscard]] bool carries(const connection& x) const { return x.number < carrying_; }
  void write_failed(connection& x, const failure& why);
  void lose(connection& x, const failure& why);
  [[nodiscard]] bool is_lost(const connection& x) const;
  void queue_again(uint16_t carrier);
  void choose_first();
  void take_control(const connection& x) const;
  static void join(connection& x);

  const uint64_t session_;
  const std::chrono::milliseconds silence_limit_;
  const callbacks calls_;
  mutable std::mutex mutex_; ///< guards all below
  std::condition_variable changed_;
  std::map<uint16_t, std::unique_ptr<connection>> connections_;
  std::optional<uint16_t> first_;                            ///< the connection of `send_first`
  unsigned carrying_ = std::numeric_limits<unsigned>::max(); ///< connections, by number
  std::string control_;       ///< congestion control; empty: the kernel's choice
  std::string given_control_; ///< which that is; empty: not asked yet
  std::deque<shared_frame> queue_;
  bool keeping_ = false;
  kept_frames kept_;
  std::optional<std::chrono::steady_clock::duration> repeat_after_;
  std::deque<shared_frame> first_queue_;
  shared_frame acknowledgement_;
  size_t queued_bytes_ = 0;
  size_t queued_first_bytes_ = 0;
  bool farewell_ = false;
  bool ending_ = false; ///< connections that end aren't lost
  std::optional<frame> last_words_;
  deadline farewell_until_ = deadline::max();
};

} // namespace novacron
