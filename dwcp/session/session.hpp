#pragma once

#include "dwcp/errors.hpp"
#include "messages/ids.hpp"
#include "messages/page_record.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace novacron {

class kept_memory;
class link_share;

/// What opens a session, once: made at random by the destination for one
/// migration, told to the source over the mesh, shown by each of its
/// connections. Never logged.
struct session_ticket {
  migration_id migration;
  node_id source;
  node_id destination;
  novacron::epoch epoch; ///< of the guest at the source
  std::array<std::byte, 32> token{};
};

/// The node's own key and certificate, and the CA that both ends must have.
struct tls_files {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path authority;
};

/// What a session has done so far. Counters only grow.
struct session_statistics {
  uint64_t guest_bytes = 0; ///< of QEMU's stream, as QEMU wrote or read them
  uint64_t wire_bytes = 0;  ///< what the sockets carried, both directions, counted at the sockets
  uint64_t zero_pages = 0;
  uint64_t full_pages = 0;
  uint64_t same_pages = 0;    ///< of the full pages, sent as what the destination held
  uint64_t changed_pages = 0; ///< of the full pages, sent as a difference from that
  uint64_t lent_pages = 0;    ///< of the full pages, sent as what the destination had kept
  uint64_t offered_pages = 0; ///< that the destination had kept, as far as the source knows
  uint64_t opaque_bytes = 0;  ///< of the stream that was sent raw
  std::array<uint64_t, opaque_reasons> raw_bytes{}; ///< of them, by why; the source knows
  uint64_t batches = 0;
  uint64_t compressed_bytes = 0; ///< batches after compression, before TLS
  uint32_t rounds = 0;           ///< passes over the guest's memory that were seen
  uint32_t streams = 0;          ///< TLS connections in use
  uint32_t reconnects = 0;       ///< connections that took the place of a lost one
  uint32_t further_streams = 0; ///< connections that were opened while the guest's memory travelled
  uint32_t carrying_streams = 0;  ///< of all, those that weren't found useless; the source knows
  std::string congestion_control; ///< TCP's, as in "bbr", at the source
  uint64_t repeats = 0;           ///< batches that went over a second connection as well
  bool chain_ok = false;          ///< both ends agree on the digest of all that was released
};

/// How a session ended, once, on a thread of the session's own.
using session_end = std::function<void(result<session_statistics>)>;

struct send_options {
  std::filesystem::path stream_socket; ///< we listen here; QEMU's side connects
  std::string destination_host;
  uint16_t destination_port = 0;
  uint32_t streams = 2;       ///< to begin with
  uint32_t most_streams = 16; ///< where the link loses packets and more of them carry more
  /// TCP's congestion control for links that lose packets, tried before more connections are;
  /// empty: none.
  std::string lossy_control = "bbr";
  /// No byte from the peer for so long, and a connection is lost; no word from its QEMU
  /// once that has all of a guest that has stopped, and the session ends.
  std::chrono::milliseconds silence_limit{10'000};
  /// A lost connection is tried again for so long, while the guest runs; 0: never.
  std::chrono::milliseconds resume_limit{30'000};
  /// The guest has stopped, and the destination acknowledges nothing for so long:
  /// the session ends, so that the guest goes on here.
  std::chrono::milliseconds stopped_limit{3'000};
  size_t queue_bytes = 4u << 20;     ///< at most so much waits for the link
  bool compress = true;              ///< as hard as it pays
  unsigned lanes = 2;                ///< threads that compress
  size_t store_bytes = 256u << 20;   ///< of pages that both ends hold, if the destination can
  std::shared_ptr<link_share> share; ///< of the host's sessions; null: it waits for none of them
  unsigned weight = 1;               ///< its part of that, beside the others'
  std::shared_ptr<kept_memory> kept; ///< where the guest's pages are kept; null: nowhere
  vm_id guest;                       ///< whose they are
};

/// The source's half of a session. Threads of its own; all calls are safe from
/// any thread. The destructor cancels and joins.
class page_sender {
public:
  virtual ~page_sender() = default;
  [[nodiscard]] virtual session_statistics statistics() const = 0;
  /// Closes everything; QEMU sees a broken stream, the peer a broken session.
  virtual void cancel(std::string reason) = 0;
};

/// Opens the streams, listens on the stream socket, and once QEMU's side has connected
/// there, carries both directions until QEMU is done. When the
/// stream ended well `end` is called with `chain_ok`: then, and only then, is
/// the destination's memory the source's.
result<std::unique_ptr<page_sender>> start_page_sender(const tls_files& tls,
                                                       const session_ticket& ticket,
                                                       const send_options& options,
                                                       session_end end);

/// The destination's half of one session.
class page_receiver {
public:
  virtual ~page_receiver() = default;
  [[nodiscard]] virtual session_statistics statistics() const = 0;
  virtual void cancel(std::string reason) = 0;
};

struct receive_options {
  std::filesystem::path stream_socket; ///< where the incoming QEMU listens
  std::chrono::milliseconds silence_limit{10'000};
  /// How long the source may take to connect again; 0: it can't.
  std::chrono::milliseconds resume_limit{30'000};
  size_t queue_bytes = 64u << 20;  ///< at most so much waits for its turn
  size_t store_bytes = 256u << 20; ///< of pages that both ends hold, at most
  /// What pages are lent from, and where the guest's are kept; null: none are.
  std::shared_ptr<kept_memory> kept;
  vm_id guest; ///< whose they are
};

/// One door per host for the pages of all its incoming migrations: a listening
/// TLS port. Connections must present a certificate of the cluster's CA whose
/// SAN names the ticket's source, and a ticket that is expected; others are
/// closed, within a time limit, and nothing else suffers.
class page_door {
public:
  virtual ~page_door() = default;
  /// The port that it listens on.
  [[nodiscard]] virtual uint16_t port() const = 0;
  /// Expects one session. The ticket is good for one session and until the
  /// receiver is destroyed.
  virtual result<std::unique_ptr<page_receiver>>
  expect(const session_ticket& ticket, const receive_options& options, session_end end) = 0;
};

/// Opens the door. `port` 0 picks one.
result<std::unique_ptr<page_door>> open_page_door(const tls_files& tls, const std::string& address,
                                                  uint16_t port);

} // namespace novacron
