#pragma once

#include "dwcp/codec/batch_decoder.hpp"
#include "dwcp/kept_memory/memory_lender.hpp"
#include "dwcp/kept_memory/memory_recorder.hpp"
#include "dwcp/session/session.hpp"
#include "dwcp/session/session_outcome.hpp"
#include "dwcp/session/stream_set.hpp"
#include "dwcp/transport/open_request.hpp"
#include "dwcp/transport/reorder_queue.hpp"
#include "dwcp/transport/sockets.hpp"
#include "messages/descriptor.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace novacron {

/// The destination's half: the streams' threads put batches into order, the
/// main thread decodes, verifies and releases them to QEMU, one after the
/// other, and carries QEMU's answers back.
class receiving_session {
public:
  receiving_session(const session_ticket& ticket, receive_options options, session_end end);
  receiving_session(const receiving_session&) = delete;
  receiving_session& operator=(const receiving_session&) = delete;
  ~receiving_session();

  /// Starts its thread; `end` may be called from here on. Without it, never.
  void start();
  /// Cancels, and joins its thread. Not from threads of the session's own.
  void stop();
  [[nodiscard]] session_statistics statistics() const;
  [[nodiscard]] const session_ticket& ticket() const { return ticket_; }
  void cancel(const std::string& reason);

  /// Takes a connection whose peer has shown a good certificate; checks its
  /// ticket, answers it, and makes it a stream of the session. On a thread of
  /// the door's. On failure the connection is the caller's, to say why.
  result<void> adopt(std::unique_ptr<tls_stream>& stream, const frame_header& opened,
                     const open_request& request, const std::shared_ptr<wire_counter>& wire,
                     deadline until);

private:
  struct loss {
    failure why;
    deadline since;
  };

  void run();
  result<void> work();
  result<void> carry();
  result<void> release_next();
  result<void> end_release(const frame_header& header);
  result<void> write_released();
  result<void> take_return_path();
  void keep_and_lend();
  void say_lent();
  void say_ended();
  [[nodiscard]] bool heard_out() const;
  void wait_for_work();
  result<void> arrived(uint16_t connection, frame x);
  void lost(uint16_t connection, failure why);
  result<void> await_lost();
  void say(frame x);
  std::unique_ptr<stream_set> make_streams();
  [[nodiscard]] bool can_resume() const;
  [[nodiscard]] bool takes_further(const open_request& request) const;
  result<session_terms> claim(const frame_header& opened, const open_request& request);
  [[nodiscard]] frame control(frame_kind kind) const;

  const session_ticket ticket_;
  const receive_options options_;
  const session_end end_;
  session_outcome outcome_;
  descriptor guest_;
  std::unique_ptr<lent_memory> lent_;         ///< null: nothing is lent
  std::optional<memory_lender> lender_;       ///< until its digests were said
  std::unique_ptr<memory_recorder> recorder_; ///< null: nothing is kept
  std::optional<batch_decoder> decoder_;      ///< once the terms are known
  std::span<const std::byte> releasing_;      ///< of the decoder's, not yet written to QEMU
  uint64_t released_ = 0;                     ///< batches
  bool acknowledged_ = true;
  bool input_ended_ = false;
  bool return_ended_ = false;
  bool finished_ = false;
  deadline ended_at_;
  std::optional<deadline> said_all_at_; ///< the source was told that we are done
  std::vector<frame> said_;             ///< of the return path, from the first on
  uint32_t said_count_ = 0;
  size_t said_bytes_ = 0;

  std::mutex adopting_; ///< before `mutex_`

  mutable std::mutex mutex_; ///< guards all below but the thread
  std::condition_variable room_;
  reorder_queue queue_;
  uint64_t session_ = 0;
  session_terms terms_;
  uint16_t streams_expected_ = 0;
  uint16_t streams_claimed_ = 0;
  std::set<uint16_t> further_; ///< connections beyond those
  bool closed_ = false;
  std::map<uint16_t, loss> lost_; ///< connections that may be replaced
  bool say_again_ = false;
  uint32_t reconnects_ = 0;
  std::unique_ptr<stream_set> streams_; ///< from the first connection on
  std::vector<std::shared_ptr<wire_counter>> wires_;
  session_statistics statistics_;

  std::mutex joining_;
  std::thread main_;
};

} // namespace novacron
