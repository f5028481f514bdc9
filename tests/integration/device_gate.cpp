#include "tests/integration/device_gate.hpp"

#include "dwcp/transport/sockets.hpp"

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

namespace novacron::test {

namespace {

constexpr int poll_milliseconds = 10;
constexpr size_t chunk_bytes = 4'096; // so that the gate stops near the byte that was meant

bool ready(int fd, short events) {
  pollfd one{fd, events, 0};
  return ::poll(&one, 1, poll_milliseconds) > 0;
}

bool write_all(int fd, const std::byte* bytes, size_t count, const std::atomic<bool>& ending) {
  while (count > 0 && !ending) {
    auto sent = ::send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN)
      return false;
    if (sent < 0) {
      ready(fd, POLLOUT);
      continue;
    }
    bytes += sent;
    count -= static_cast<size_t>(sent);
  }
  return count == 0;
}

} // namespace

device_gate::device_gate(std::filesystem::path sender, uint64_t stop_after)
    : sender_{std::move(sender)}, socket_{sender_.native() + ".gate"},
      stop_after_{stop_after}, listener_{listen_unix(socket_).value()} {
  thread_ = std::thread{[this] { carry(); }};
}

device_gate::~device_gate() {
  ending_ = true;
  thread_.join();
  std::error_code ignored;
  std::filesystem::remove(socket_, ignored);
}

void device_gate::carry() {
  while (!ending_ && !ready(listener_.get(), POLLIN)) {
  }
  auto from = accept_one(listener_);
  listener_.reset();
  std::error_code ignored;
  std::filesystem::remove(socket_, ignored);
  auto to = from ? connect_unix(sender_) : result<descriptor>{descriptor{}};
  if (!from || !to)
    return;
  std::thread back{[&] { carry_back(to->get(), from.get()); }};
  while (!ending_ && pass_on(from.get(), to->get())) {
  }
  ::shutdown(to->get(), SHUT_WR);
  back.join();
}

/// False once QEMU or the sender has closed.
bool device_gate::pass_on(int from, int to) {
  stopped_ = device_bytes_ >= stop_after_ && splitter_.memory_complete();
  if (stopped_) {
    // The sender's end is ours, too.
    pollfd closed{to, POLLRDHUP, 0};
    return ::poll(&closed, 1, poll_milliseconds) == 0;
  }
  if (!ready(from, POLLIN))
    return true;
  std::array<std::byte, chunk_bytes> chunk;
  auto count = ::recv(from, chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (count < 0)
    return errno == EAGAIN;
  if (count == 0)
    return false;
  auto bytes = std::span{chunk}.first(static_cast<size_t>(count));
  if (splitter_.memory_complete())
    device_bytes_ += bytes.size();
  splitter_.push(bytes, [](const page_record&) {});
  return write_all(to, bytes.data(), bytes.size(), ending_);
}

void device_gate::carry_back(int from, int to) const {
  std::array<std::byte, chunk_bytes> chunk;
  while (!ending_) {
    if (!ready(from, POLLIN))
      continue;
    auto count = ::recv(from, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
      continue;
    if (count <= 0 || !write_all(to, chunk.data(), static_cast<size_t>(count), ending_))
      break;
  }
  // A broken sender is a broken stream for QEMU, in both directions.
  ::shutdown(to, stopped_ ? SHUT_RDWR : SHUT_WR);
}

} // namespace novacron::test
