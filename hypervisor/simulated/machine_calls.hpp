#pragma once

#include "hypervisor/errors.hpp"
#include "hypervisor/simulated/call_wire.hpp"
#include "hypervisor/simulated/machine.hpp"
#include "hypervisor/simulated/stream_socket.hpp"

namespace novacron {

/// The machine's protocol. Each connection carries one request: the call, the
/// session, the call's arguments. The answer is 0 and the call's value, or the
/// number and text of its error.
///
/// `attach`, in session 0, begins a session: its answer is the session's number,
/// and after it events follow, a vm_id each, until either end closes; with that
/// the session is over, and what its agent prepared is gone. Session 0 is nobody's
/// and always there.
enum class machine_call : uint8_t {
  attach,
  capacity,
  list,
  create,
  resume,
  pause,
  shutdown,
  destroy,
  statistics,
  adopt,
  migration_begin,
  migration_prepare,
  migration_perform,
  migration_finish,
  migration_confirm,
  migration_abort,
  migration_statistics,
  set_max_downtime,
  set_deadline, ///< not a call of `hypervisor`: the machine's fencer is part of it
};

/// A connection to the machine, or why there is none: `unreachable`.
result<stream_socket> reach_machine(const machine_config& config);
std::filesystem::path machine_socket(const machine_config& config);

/// One message: its length (u32, at most 1 MiB), and that. `aborted` when the stream breaks.
result<void> send_message(stream_socket& stream, const wire_writer& message,
                          const std::atomic<bool>& stop);
result<std::vector<std::byte>> receive_message(stream_socket& stream, const std::atomic<bool>& stop,
                                               std::chrono::milliseconds limit);

/// Sends the request and waits for its answer, for as long as the call may take.
/// `unreachable` when it can't have been made, `outcome_unknown` when it may have been.
result<std::vector<std::byte>> exchange(stream_socket& stream, machine_call call,
                                        const wire_writer& request, const std::atomic<bool>& stop);

/// The failure in an answer, or one that says that the answer makes no sense.
failure failure_in(wire_reader& answer, int code);

/// A call, there and back.
template <class Value, class... Given>
result<Value> ask_machine(stream_socket& stream, machine_call call, uint64_t session,
                          const std::atomic<bool>& stop, const Given&... given) {
  wire_writer request;
  request(call, session, given...);
  auto answer = exchange(stream, call, request, stop);
  if (!answer)
    return answer.error();
  wire_reader in{*answer};
  int code = -1;
  in(code);
  if (code != 0)
    return failure_in(in, code);
  if constexpr (std::is_void_v<Value>) {
    return in.complete() ? result<void>{} : failure_in(in, -1);
  } else {
    Value value{};
    in(value);
    return in.complete() ? result<Value>{std::move(value)} : failure_in(in, -1);
  }
}

} // namespace novacron
