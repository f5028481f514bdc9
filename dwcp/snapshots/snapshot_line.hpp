#pragma once

#include "dwcp/session/session.hpp"
#include "dwcp/transport/tls_stream.hpp"
#include "messages/address.hpp"
#include "messages/peer.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace novacron {

/// Asks other controllers' doors for parts of snapshots, one part at a time, on a
/// thread of its own. The connection stays for the next part of the same controller.
class snapshot_line {
public:
  /// Called once, from the line's thread or, when it can't take the question, from
  /// within `fetch`.
  using answer = std::function<void(result<snapshot_chunk>)>;

  /// Throws std::system_error when no thread is to be had.
  explicit snapshot_line(tls_files tls);
  /// Questions that are open are answered: `cancelled`.
  ~snapshot_line();
  snapshot_line(const snapshot_line&) = delete;
  snapshot_line& operator=(const snapshot_line&) = delete;

  /// Asks `from` at its door. Answers within `snapshot_limits::answer` of the question's
  /// turn: the part, `withdrawn`, or why it can't be had. Any thread.
  void fetch(node_id from, const address& where, const snapshot_chunk_request& what, answer done);

private:
  struct question {
    node_id from;
    address where;
    snapshot_chunk_request what;
    answer done;
  };

  void run();
  result<snapshot_chunk> ask(const question& x);
  result<void> dial(const question& x, deadline until);

  const tls_files tls_; ///< read for each connection: certificates are renewed
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<question> questions_; ///< guarded by mutex_
  bool closed_ = false;            ///< guarded by mutex_
  wakeup closing_;
  // Of the line's thread.
  std::unique_ptr<tls_stream> stream_;
  node_id stream_to_;
  address stream_at_;
  std::thread thread_;
};

} // namespace novacron
