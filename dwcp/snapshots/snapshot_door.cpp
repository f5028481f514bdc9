#include "dwcp/snapshots/snapshot_door.hpp"

#include "dwcp/session/limits.hpp"
#include "dwcp/snapshots/limits.hpp"
#include "dwcp/transport/reception.hpp"
#include "dwcp/transport/sockets.hpp"
#include "dwcp/transport/tls_stream.hpp"
#include "messages/codec.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace novacron {

namespace {

deadline in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

class lending_door final : public snapshot_door {
public:
  lending_door(tls_context tls, descriptor listener, snapshot_lender lender)
      : tls_{std::move(tls)}, lender_{std::move(lender)},
        reception_{std::move(listener), snapshot_limits::connections,
                   [this](descriptor socket, const wakeup& closing) {
                     welcome(std::move(socket), closing);
                   }} {
    // nop
  }

  [[nodiscard]] uint16_t port() const override { return reception_.port(); }

private:
  void welcome(descriptor socket, const wakeup& closing);
  result<void> admit(tls_stream& stream, const wakeup& closing);
  result<void> serve(tls_stream& stream, const wakeup& closing);

  const tls_context tls_;
  const snapshot_lender lender_;
  reception reception_; ///< last: it serves with the others
};

void lending_door::welcome(descriptor socket, const wakeup& closing) {
  try {
    tune_stream(socket);
    tls_stream stream{tls_, std::move(socket), tls_stream::end::server,
                      std::make_shared<wire_counter>()};
    auto served = admit(stream, closing);
    while (served)
      served = serve(stream, closing);
    if (stream.established())
      (void)stream.write_frame(abort_frame(0, served.error()), closing,
                               in(session_limits::farewell));
    stream.close_write();
    // What we have said last would be taken back with what is unread.
    if (served.error().code != dwcp_errc::timed_out)
      stream.drain(closing, in(session_limits::farewell));
  } catch (const std::exception&) {
    // A connection that we can't serve is closed.
  }
}

result<void> lending_door::admit(tls_stream& stream, const wakeup& closing) {
  const auto peer = stream.handshake(closing, in(session_limits::opening));
  if (!peer)
    return peer.error();
  if (std::ranges::find(peer->roles, "controller") == peer->roles.end()
      || !lender_.knows(peer->node))
    return make_failure(dwcp_errc::unauthorised,
                        "node " + to_string(peer->node)
                            + " is no controller that this one knows: only those copy the state");
  return {};
}

/// One part; waits for the question.
result<void> lending_door::serve(tls_stream& stream, const wakeup& closing) {
  const auto question = stream.read_frame(closing, snapshot_limits::idle);
  if (!question)
    return question.error();
  if (question->header.kind != frame_kind::ask)
    return make_failure(dwcp_errc::malformed, "snapshots: a frame that asks for nothing");
  const auto wanted = decode<snapshot_chunk_request>(question->payload);
  if (!wanted)
    return make_failure(dwcp_errc::malformed, "snapshots: " + wanted.error().message);
  frame answer;
  auto chunk = lender_.read(*wanted);
  if (chunk) {
    answer.header.kind = frame_kind::part;
    answer.payload = encode(*chunk);
  } else if (chunk.error().code == dwcp_errc::withdrawn) {
    answer.header.kind = frame_kind::withdrawn;
  } else {
    return chunk.error();
  }
  return stream.write_frame(answer, closing, in(snapshot_limits::answer));
}

} // namespace

result<std::unique_ptr<snapshot_door>> open_snapshot_door(const tls_files& tls,
                                                          const std::string& address, uint16_t port,
                                                          snapshot_lender lender) {
  auto context = tls_context::load(tls);
  if (!context)
    return context.error();
  auto listener = listen_tcp(address, port);
  if (!listener)
    return listener.error();
  return std::make_unique<lending_door>(std::move(*context), std::move(*listener),
                                        std::move(lender));
}

} // namespace novacron
