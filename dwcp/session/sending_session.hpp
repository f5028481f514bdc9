#pragma once

#include "dwcp/kept_memory/memory_recorder.hpp"
#include "dwcp/session/batch_source.hpp"
#include "dwcp/session/connection_opener.hpp"
#include "dwcp/session/flight_window.hpp"
#include "dwcp/session/link_share.hpp"
#include "dwcp/session/packing_lanes.hpp"
#include "dwcp/session/reconnect_plan.hpp"
#include "dwcp/session/return_gate.hpp"
#include "dwcp/session/session.hpp"
#include "dwcp/session/session_outcome.hpp"
#include "dwcp/session/stream_planner.hpp"
#include "dwcp/session/stream_set.hpp"
#include "dwcp/transport/sockets.hpp"
#include "messages/descriptor.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace novacron {

/// The source's half: one main thread between QEMU's socket and the streams'
/// threads. Whatever the streams bring is put into a mailbox, and the main
/// thread is nudged; it alone touches the guest's socket, the splitter, the
/// encoder and the gate.
class sending_session final : public page_sender {
public:
  sending_session(tls_context tls, const session_ticket& ticket, send_options options,
                  session_end end, descriptor listener);
  ~sending_session() override;

  [[nodiscard]] session_statistics statistics() const override;
  void cancel(std::string reason) override;

private:
  /// What the streams have brought since the main thread last looked.
  struct mailbox {
    std::optional<frame_header> acknowledgement; ///< the latest
    std::vector<std::byte> return_bytes;
    bool return_ended = false;
    std::optional<chain_value> ended;
    std::vector<std::pair<uint16_t, failure>> lost;
    std::vector<frame> lent;
    std::vector<std::pair<uint64_t, size_t>> packed; ///< batches, by sequence, and their bytes
  };

  void run();
  result<void> work();
  result<void> accept_guest();
  void begin_connecting();
  result<void> take_connections();
  void begin_carrying();
  void note_packed(const frame& x);
  result<void> carry();
  result<void> absorb();
  result<void> await_destination();
  result<void> mend();
  result<void> replace(uint16_t connection, result<opened_connection> opened);
  void widen(uint16_t connection, result<opened_connection> opened);
  result<void> use(uint16_t connection, std::unique_ptr<tls_stream> opened);
  void choose_level();
  void choose_streams();
  [[nodiscard]] bool link_is_waited_for() const;
  result<void> take_input();
  result<void> end_input();
  void pass_return_path();
  void flush_if_quiet();
  void wait_for_work();
  [[nodiscard]] bool input_waits() const;
  [[nodiscard]] bool wants_input();
  [[nodiscard]] bool has_its_turn();
  [[nodiscard]] bool reads_ahead() const;
  result<void> arrived(frame x);
  bool next_of_return_path(const frame_header& header);
  result<void> take_lent(frame x);
  void lost(uint16_t connection, failure why);
  void publish_statistics();

  const tls_context tls_;
  const session_ticket ticket_;
  const send_options options_;
  const session_end end_;
  const uint64_t session_;
  session_outcome outcome_;
  std::atomic<bool> carries_{false}; ///< all connections that it begins with are there
  const std::shared_ptr<wire_counter> wire_;
  descriptor listener_;
  descriptor guest_;
  stream_set streams_;
  std::optional<link_share::member> share_; ///< of what the host may send
  std::chrono::steady_clock::time_point turn_ = std::chrono::steady_clock::time_point::max();
  std::optional<connection_opener> opener_;
  uint32_t connected_ = 0; ///< connections that it begins with, so far
  reconnect_plan plan_;
  std::set<uint16_t> widening_; ///< connections that are being opened beside the others
  uint16_t next_number_ = 0;    ///< of the next one
  uint32_t further_streams_ = 0;
  session_terms terms_;
  // Once the terms are known:
  std::optional<packing_lanes> lanes_;
  std::optional<level_chooser> level_;
  std::optional<stream_planner> planner_;
  stream_plan streams_as_planned_;
  std::optional<batch_source> source_;
  std::unique_ptr<memory_recorder> recorder_; ///< null: nothing is kept
  flight_window window_;
  return_gate gate_;
  std::vector<std::byte> input_;
  std::chrono::steady_clock::time_point last_input_;
  std::chrono::steady_clock::time_point last_acknowledged_;
  std::chrono::steady_clock::time_point last_heard_; ///< nothing was under way, or some of it came
  size_t read_ahead_ = 0;         ///< bytes, since a connection was lost, or the silence began
  bool heard_since_loss_ = false; ///< of what is under way
  uint32_t reconnects_ = 0;
  bool input_ended_ = false;
  bool end_sent_ = false;
  bool return_closed_ = false;
  std::optional<std::chrono::steady_clock::time_point> ended_; ///< the destination is done
  bool finished_ = false;

  mutable std::mutex mutex_;   ///< guards the five below
  uint32_t return_frames_ = 0; ///< of the return path that have arrived
  uint64_t lent_said_ = 0;     ///< pages that the destination has said it lends
  mailbox mailbox_;
  size_t gate_backlog_ = 0; ///< bytes of the return path that wait in the gate
  session_statistics statistics_;

  std::thread main_;
};

} // namespace novacron
