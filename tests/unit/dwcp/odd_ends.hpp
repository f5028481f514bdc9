#pragma once

#include "dwcp/codec/batch_encoder.hpp"
#include "dwcp/transport/open_request.hpp"
#include "dwcp/transport/sockets.hpp"
#include "dwcp/transport/tls_stream.hpp"
#include "qemu_pair.hpp"

#include <doctest/doctest.h>
#include <poll.h>

// Nodes of the cluster, with the right ticket, that say what no novacron would.

namespace novacron::testing {

inline const wakeup never;
inline const bytes some_bytes(1000, std::byte{1});

inline deadline soon() {
  return std::chrono::steady_clock::now() + 10s;
}

/// One end of a connection, to say what no novacron would.
class speaker {
public:
  speaker(const tls_files& files, descriptor socket, tls_stream::end which)
      : stream_{tls_context::load(files).value(), std::move(socket), which,
                std::make_shared<wire_counter>()} {
    CHECK(stream_.handshake(never, soon()).has_value());
  }

  bool say(frame x, deadline until = soon()) {
    x.header.session = session;
    return stream_.write_frame(x, never, until).has_value();
  }
  bool say(frame_kind kind, uint64_t sequence, const chain_value& chain, bytes payload = {}) {
    frame x;
    x.header.kind = kind;
    x.header.sequence = sequence;
    x.header.chain = chain;
    x.payload = std::move(payload);
    return say(std::move(x));
  }
  /// The next frame that isn't a keepalive; what `abort` says is kept.
  frame hear(std::chrono::milliseconds patience = 10s) {
    for (;;) {
      auto x = stream_.read_frame(never, patience);
      if (!x)
        return {};
      if (x->header.kind != frame_kind::keepalive)
        return std::move(*x);
    }
  }
  /// Waits for the other end's reason, whatever comes before it.
  std::error_code reason() {
    for (;;) {
      auto x = stream_.read_frame(never, 10s);
      if (!x)
        return x.error().code;
      if (x->header.kind == frame_kind::abort)
        return read_abort(x->payload).code;
    }
  }

  uint64_t session = 1;

private:
  tls_stream stream_;
};

/// A source that has its ticket accepted, and the receiving session's QEMU.
struct odd_source {
  qemu_pair pair;
  std::optional<speaker> there;
  batch_encoder encoder{chain_value{}, 0};
  chain_value chain{};

  explicit odd_source(std::chrono::milliseconds silence = 10s, size_t queue_bytes = 2u << 20) {
    pair.receiving.silence_limit = silence;
    pair.receiving.queue_bytes = queue_bytes;
    pair.expect();
    there.emplace(pair.authority.issue(pair.ticket.source), dial(), tls_stream::end::client);
    encoder = batch_encoder{session_seed(pair.ticket), 0};
    chain = session_seed(pair.ticket);
  }

  descriptor dial() { return connect_tcp("127.0.0.1", pair.door->port(), never, soon()).value(); }
  speaker connect() {
    return {pair.authority.issue(pair.ticket.source), dial(), tls_stream::end::client};
  }
  bool open(speaker& x, uint16_t stream, uint16_t streams, const session_terms& terms = {}) {
    frame opening;
    opening.header.kind = frame_kind::open;
    put_terms(opening.header, terms);
    opening.payload = encode(open_request{pair.ticket, stream, streams});
    x.say(std::move(opening));
    return x.hear().header.kind == frame_kind::accepted;
  }
  frame batch(uint64_t sequence, const bytes& content = some_bytes) {
    page_record record;
    record.bytes = content;
    encoder.add(record);
    auto made = encoder.seal();
    frame x;
    x.header.kind = frame_kind::batch;
    x.header.sequence = sequence;
    x.header.raw_bytes = made.raw_bytes;
    x.header.chain = chain = made.chain;
    x.payload = std::move(made.plan);
    return x;
  }
  /// How both ends say that it ended.
  void check_ended(dwcp_errc expected) {
    CHECK(there->reason() == expected);
    CHECK(code(pair.received.wait()) == expected);
  }
};

/// A destination's node that answers the sending session as it likes.
struct odd_destination {
  qemu_pair pair;
  descriptor listener = listen_tcp("127.0.0.1", 0).value();
  std::unique_ptr<speaker> there;
  guest_socket source;

  explicit odd_destination(std::chrono::milliseconds silence = 10s, uint32_t streams = 1) {
    pair.sending.destination_port = local_port(listener);
    pair.sending.streams = streams;
    pair.sending.silence_limit = silence;
    pair.start();
    source = guest_socket::connect(pair.sending.stream_socket);
    there = next();
  }
  /// The next connection, of which the opening frame was heard.
  std::unique_ptr<speaker> next() {
    pollfd waiting{listener.get(), POLLIN, 0};
    REQUIRE(::poll(&waiting, 1, 10'000) == 1);
    auto x = std::make_unique<speaker>(pair.authority.issue(pair.ticket.destination),
                                       accept_one(listener), tls_stream::end::server);
    x->session = x->hear().header.session;
    return x;
  }
  static void accept(speaker& x, const session_terms& terms) {
    frame accepted;
    accepted.header.kind = frame_kind::accepted;
    put_terms(accepted.header, terms);
    CHECK(x.say(std::move(accepted)));
  }
  void accept() { accept(*there, {}); }
  /// Takes batches, and acknowledges them, up to the end that is told.
  frame take_all() {
    for (;;) {
      const auto x = there->hear();
      if (x.header.kind != frame_kind::batch)
        return x;
      there->say(frame_kind::ack, x.header.sequence + 1, x.header.chain);
    }
  }
};

} // namespace novacron::testing
