#include "dwcp/snapshots/snapshot_line.hpp"

#include "dwcp/snapshots/limits.hpp"
#include "dwcp/transport/session_thread.hpp"
#include "dwcp/transport/sockets.hpp"
#include "messages/codec.hpp"

#include <exception>
#include <utility>

namespace novacron {

snapshot_line::snapshot_line(tls_files tls) : tls_{std::move(tls)} {
  thread_ = start_session_thread([this] { run(); });
}

snapshot_line::~snapshot_line() {
  {
    const std::scoped_lock lock{mutex_};
    closed_ = true;
  }
  closing_.raise();
  changed_.notify_one();
  thread_.join();
}

void snapshot_line::fetch(node_id from, const address& where, const snapshot_chunk_request& what,
                          answer done) {
  {
    const std::scoped_lock lock{mutex_};
    if (!closed_ && questions_.size() < snapshot_limits::waiting) {
      questions_.push_back({from, where, what, std::move(done)});
      changed_.notify_one();
      return;
    }
  }
  done(make_failure(dwcp_errc::too_many, "snapshots: too many questions wait; ask again"));
}

void snapshot_line::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    // Our end is closed before the other one gets tired of it.
    if (!changed_.wait_for(lock, snapshot_limits::idle / 2,
                           [this] { return closed_ || !questions_.empty(); })) {
      stream_.reset();
      continue;
    }
    if (questions_.empty())
      return; // closed, and all are answered
    auto next = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    auto part = ask(next);
    if (!part && part.error().code != dwcp_errc::withdrawn)
      stream_.reset();
    next.done(std::move(part));
    lock.lock();
  }
}

result<snapshot_chunk> snapshot_line::ask(const question& x) {
  const auto until = std::chrono::steady_clock::now() + snapshot_limits::answer;
  try {
    if (!stream_ || stream_to_ != x.from || stream_at_ != x.where)
      if (auto there = dial(x, until); !there)
        return there.error();
    frame asking;
    asking.header.kind = frame_kind::ask;
    asking.payload = encode(x.what);
    if (auto written = stream_->write_frame(asking, closing_, until); !written)
      return written.error();
    const auto reply = stream_->read_frame(closing_, snapshot_limits::answer, until);
    if (!reply)
      return reply.error();
    switch (reply->header.kind) {
    case frame_kind::part:
      return decode<snapshot_chunk>(reply->payload);
    case frame_kind::withdrawn:
      return make_failure(dwcp_errc::withdrawn, "snapshots: it isn't lent any more");
    case frame_kind::abort:
      return read_abort(reply->payload);
    default:
      return make_failure(dwcp_errc::malformed, "snapshots: a frame that answers nothing");
    }
  } catch (const std::exception& why) {
    return make_failure(dwcp_errc::too_many, std::string{"snapshots: "} + why.what());
  }
}

result<void> snapshot_line::dial(const question& x, deadline until) {
  stream_.reset();
  const auto context = tls_context::load(tls_);
  if (!context)
    return context.error();
  auto socket = connect_tcp(x.where.host, x.where.port, closing_, until);
  if (!socket)
    return socket.error();
  tune_stream(*socket);
  auto stream = std::make_unique<tls_stream>(*context, std::move(*socket), tls_stream::end::client,
                                             std::make_shared<wire_counter>());
  const auto peer = stream->handshake(closing_, until);
  if (!peer)
    return peer.error();
  if (peer->node != x.from)
    return make_failure(dwcp_errc::unauthorised,
                        "snapshots: at " + to_string(x.where) + " the certificate names node "
                            + to_string(peer->node) + " instead of " + to_string(x.from));
  stream_ = std::move(stream);
  stream_to_ = x.from;
  stream_at_ = x.where;
  return {};
}

} // namespace novacron
