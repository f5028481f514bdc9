#include "tests/integration/stream_pump.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace novacron::test {

namespace fs = std::filesystem;

namespace {

constexpr int poll_milliseconds = 20;
constexpr size_t chunk_bytes = 64 * 1024;

int unix_socket(const fs::path& path, bool listens) {
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  bool good = listens ? ::bind(fd, generic, sizeof address) == 0 && ::listen(fd, 1) == 0
                      : ::connect(fd, generic, sizeof address) == 0;
  if (good)
    return fd;
  ::close(fd);
  return -1;
}

bool readable(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, poll_milliseconds) > 0;
}

bool write_all(int fd, const char* bytes, size_t count) {
  while (count > 0) {
    auto written = ::send(fd, bytes, count, MSG_NOSIGNAL);
    if (written <= 0)
      return false;
    bytes += written;
    count -= static_cast<size_t>(written);
  }
  return true;
}

} // namespace

stream_pump::stream_pump(const fs::path& source, const fs::path& destination, pump_options options)
    : destination_{destination}, options_{std::move(options)} {
  fs::remove(source);
  listener_ = unix_socket(source, true);
  REQUIRE(listener_ >= 0);
  thread_ = std::thread{[this] { carry(); }};
}

stream_pump::~stream_pump() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
}

void stream_pump::carry() {
  while (!readable(listener_))
    if (stopping_)
      return;
  int from = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  int to = unix_socket(destination_, false);
  if (to >= 0) {
    std::thread back{[&] {
      while (!stopping_ && (!readable(to) || backward(to, from))) {
      }
    }};
    std::ofstream copy;
    if (!options_.capture.empty())
      copy.open(options_.capture, std::ios::binary | std::ios::trunc);
    while (!stopping_ && (!readable(from) || forward(from, to, copy))) {
    }
    if (sent_ >= options_.cut_after) {
      ::shutdown(from, SHUT_RDWR);
      ::shutdown(to, SHUT_RDWR);
    }
    back.join();
    ::close(to);
  }
  ::close(from);
}

bool stream_pump::forward(int from, int to, std::ofstream& copy) {
  std::vector<char> bytes(std::min<uint64_t>(chunk_bytes, options_.cut_after - sent_));
  auto count = ::recv(from, bytes.data(), bytes.size(), 0);
  if (count <= 0) {
    ::shutdown(to, SHUT_WR);
    return false;
  }
  if (copy)
    copy.write(bytes.data(), count);
  if (!write_all(to, bytes.data(), static_cast<size_t>(count)))
    return false;
  sent_ += static_cast<uint64_t>(count);
  if (options_.bytes_per_second != 0) {
    auto us = count * 1'000'000 / static_cast<int64_t>(options_.bytes_per_second);
    std::this_thread::sleep_for(std::chrono::microseconds{us}); // the span that the link takes
  }
  return sent_ < options_.cut_after;
}

bool stream_pump::backward(int from, int to) {
  char bytes[4096];
  auto count = ::recv(from, bytes, sizeof bytes, 0);
  if (count <= 0 || !write_all(to, bytes, static_cast<size_t>(count))) {
    ::shutdown(to, SHUT_WR);
    return false;
  }
  returned_ += static_cast<uint64_t>(count);
  return true;
}

} // namespace novacron::test
