#pragma once

#include "dwcp/session/session.hpp"
#include "messages/descriptor.hpp"
#include "sample_streams.hpp"
#include "test_authority.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

namespace novacron::testing {

using namespace std::chrono_literals;

/// Waits until `condition` holds; false when it doesn't in time.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = 10s);

/// Waits until what a thread counts has begun, and moves no more; false when it doesn't.
bool stands_still(const std::atomic<size_t>& count);

/// One end's local socket, as a QEMU uses it: blocking, and never for long.
class guest_socket {
public:
  guest_socket() = default;
  explicit guest_socket(descriptor socket);

  static guest_socket connect(const std::filesystem::path& path);
  /// False when the other end is gone.
  bool write(std::span<const std::byte> x);
  /// Up to `count` bytes; fewer at the end, after an error or 10 s of nothing.
  bytes read(size_t count);
  bytes read_all() { return read(SIZE_MAX); }
  void close_write();
  void close() { socket_.reset(); }
  [[nodiscard]] int fd() const { return socket_.get(); }

private:
  descriptor socket_;
};

/// Listens like an incoming QEMU.
class guest_listener {
public:
  explicit guest_listener(const std::filesystem::path& path);
  /// Waits at most 10 s.
  guest_socket accept();

private:
  descriptor socket_;
};

/// How one end's session ended.
class ending {
public:
  session_end callback();
  /// Waits at most 20 s; a failure of the test's own after it.
  result<session_statistics> wait();
  [[nodiscard]] int calls() const;

private:
  struct state {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<result<session_statistics>> value;
    int calls = 0;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

/// The failure's message; empty for a success.
template <class T>
std::string why(const result<T>& x) {
  return x.has_value() ? std::string{} : x.error().message;
}

/// The failure's code; none for a success.
template <class T>
std::error_code code(const result<T>& x) {
  return x.has_value() ? std::error_code{} : x.error().code;
}

/// A source and a destination node on loopback, with everything that a session
/// needs, and nothing started but the door.
struct qemu_pair {
  temporary_folder folder;
  test_authority authority;
  session_ticket ticket;
  std::unique_ptr<page_door> door;
  send_options sending;
  receive_options receiving;
  std::optional<guest_listener> incoming;
  ending sent;
  ending received;
  std::unique_ptr<page_receiver> receiver;
  std::unique_ptr<page_sender> sender;

  qemu_pair();
  void expect();
  void start();                       ///< the sender, with the source's certificate
  void start(const tls_files& files); ///< the sender, with another
  /// Both, then both QEMUs.
  std::pair<guest_socket, guest_socket> connect();
};

/// What both QEMUs do in a migration that goes well: source writes, waits for
/// SHUT, closes; destination reads `stream`, says PONG and SHUT, closes.
struct carried {
  bytes at_destination;
  bytes at_source;
};
carried migrate(qemu_pair& pair, std::span<const std::byte> stream, random_numbers& random,
                size_t longest_write = 100'000);

} // namespace novacron::testing
