#include "tests/integration/page_link.hpp"

#include "dwcp/transport/sockets.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <poll.h>
#include <sys/socket.h>

namespace novacron::test {

namespace {

using namespace std::chrono_literals;

constexpr int poll_milliseconds = 10;

bool ready(int fd, short events) {
  pollfd one{fd, events, 0};
  return ::poll(&one, 1, poll_milliseconds) > 0;
}

} // namespace

page_link::page_link(uint16_t to, link_faults faults)
    : to_{to}, faults_{faults}, listener_{listen_tcp("127.0.0.1", 0).value()},
      port_{local_port(listener_)}, hold_after_{faults.hold_after} {
  thread_ = std::thread{[this] { listen(); }};
}

page_link::~page_link() {
  cut();
  thread_.join();
}

void page_link::listen() {
  const wakeup nobody;
  while (!cut_) {
    if (!ready(listener_.get(), POLLIN))
      continue;
    auto sender = accept_one(listener_);
    auto door = connect_tcp("127.0.0.1", to_, nobody, std::chrono::steady_clock::now() + 5s);
    if (!sender || !door)
      continue;
    auto& x = connections_.emplace_back();
    x.number = made_++;
    x.early = !cut_once_;
    x.sender = std::move(sender);
    x.door = std::move(*door);
    x.there = std::thread{[this, &x] { carry(x, true); }};
    x.back = std::thread{[this, &x] { carry(x, false); }};
  }
  listener_.reset();
  for (auto& x : connections_) {
    x.there.join();
    x.back.join();
  }
  connections_.clear();
}

bool page_link::wait_readable(int from, const connection& x) const {
  while (!is_over(x)) {
    if (holding())
      std::this_thread::sleep_for(std::chrono::milliseconds{poll_milliseconds}); // poll interval
    else if (ready(from, POLLIN) && !holding()) // it may be held since we began to wait
      return true;
  }
  return false;
}

bool page_link::pass(int to, const char* bytes, size_t count, const connection& x) const {
  while (count > 0 && !is_over(x)) {
    auto sent = ::send(to, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN)
      return false;
    if (sent < 0) {
      ready(to, POLLOUT);
      continue;
    }
    bytes += sent;
    count -= static_cast<size_t>(sent);
  }
  return count == 0;
}

void page_link::take_time(size_t count) {
  if (faults_.per_second == link_faults::never)
    return;
  const auto span = std::chrono::nanoseconds{1'000'000'000 * count / faults_.per_second};
  std::unique_lock lock{pace_};
  free_at_ = std::max(free_at_, std::chrono::steady_clock::now()) + span;
  const auto until = free_at_;
  lock.unlock();
  std::this_thread::sleep_until(until); // the span that the bytes take
}

void page_link::meet(const connection& x, bool there, char* bytes, size_t count) {
  const auto before = (there ? carried_ : returned_).fetch_add(count);
  const auto after = before + count;
  if (there && faults_.flip_bit_at >= before && faults_.flip_bit_at < after)
    bytes[faults_.flip_bit_at - before] ^= 4;
  if (there == faults_.on_the_way_back)
    return;
  if (after > faults_.cut_after)
    cut();
  if (after > faults_.cut_once_after)
    cut_once_ = true;
  if (before <= faults_.cut_one_after && after > faults_.cut_one_after)
    cut_one(x.number);
}

void page_link::carry(const connection& x, bool there) {
  const int from = (there ? x.sender : x.door).get();
  const int to = (there ? x.door : x.sender).get();
  std::array<char, 16'384> buffer{};
  while (wait_readable(from, x)) {
    const auto received = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (received < 0 && errno == EAGAIN)
      continue;
    if (received <= 0)
      break;
    const auto count = static_cast<size_t>(received);
    meet(x, there, buffer.data(), count);
    if (there)
      take_time(count);
    if (!pass(to, buffer.data(), count, x))
      break;
  }
  // What was cut ends both ways at once; what its sender ended, one way.
  ::shutdown(to, is_over(x) ? SHUT_RDWR : SHUT_WR);
  if (is_over(x))
    ::shutdown(from, SHUT_RDWR);
}

} // namespace novacron::test
