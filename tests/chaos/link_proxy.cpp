#include "link_proxy.hpp"

#include "dwcp/transport/sockets.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <vector>

namespace novacron::chaos {

using namespace std::chrono_literals;

namespace {

constexpr size_t most_queued = 1U << 20U;
constexpr size_t segment = 1'448;
constexpr auto first_retransmission = 200ms;
constexpr int most_retransmissions = 6;
constexpr auto longest_look = 100ms;

link_proxy::direction other(link_proxy::direction way) {
  return way == link_proxy::there ? link_proxy::back : link_proxy::there;
}

} // namespace

link_proxy::link_proxy(uint16_t to, uint64_t seed)
    : to_{to}, listener_{listen_tcp("127.0.0.1", 0).value()}, port_{local_port(listener_)},
      random_{seed} {
  thread_ = std::thread{[this] { run(); }};
}

link_proxy::~link_proxy() {
  stop_.raise();
  thread_.join();
}

void link_proxy::set(direction way, const link_condition& condition) {
  {
    std::lock_guard lock{mutex_};
    told_[way] = condition;
  }
  changed_.raise();
}

std::array<link_condition, 2> link_proxy::conditions() const {
  std::lock_guard lock{mutex_};
  return told_;
}

bool link_proxy::may_give(const stream& x, direction way, clock::time_point now) const {
  if (now_[way].held)
    return false;
  return x.queue.empty() ? x.ended && !x.passed : x.queue.front().due <= now;
}

void link_proxy::run() {
  while (!stop_.raised()) {
    changed_.clear();
    now_ = conditions();
    const auto now = clock::now();
    auto wake = now + longest_look;
    std::vector<pollfd> all{
        {stop_.fd(), POLLIN, 0}, {changed_.fd(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const auto& x : connections_)
      for (const auto from : {there, back}) {
        const auto& out = x.streams[from];
        const auto& in = x.streams[other(from)];
        short events = 0;
        if (!now_[from].held && !out.ended && out.queued < most_queued)
          events = POLLIN;
        if (may_give(in, other(from), now))
          events = static_cast<short>(events | POLLOUT);
        else if (!in.queue.empty() && !now_[other(from)].held)
          wake = std::min(wake, in.queue.front().due);
        all.push_back({events == 0 ? -1 : x.ends[from].get(), events, 0});
      }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - now);
    ::poll(all.data(), all.size(), static_cast<int>(std::max(left, 0ms).count()));
    now_ = conditions(); // what was told before the bytes came counts for them
    size_t at = 3;
    std::erase_if(connections_, [&](connection& x) {
      bool over = false;
      for (const auto from : {there, back}) {
        const auto revents = all[at++].revents;
        over = over || ((revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !take(x, from))
               || ((revents & POLLOUT) != 0 && !give(x, other(from)));
      }
      return over || (x.streams[there].passed && x.streams[back].passed);
    });
    if (all[2].revents != 0)
      accept();
  }
}

void link_proxy::accept() {
  auto source = accept_one(listener_);
  if (!source)
    return;
  auto destination = connect_tcp("127.0.0.1", to_, stop_, clock::now() + 1s);
  if (!destination)
    return; // nobody is there: the source sees its connection end
  connection x;
  x.ends = {std::move(source), std::move(*destination)};
  connections_.push_back(std::move(x));
}

bool link_proxy::take(connection& x, direction way) {
  auto& out = x.streams[way];
  if (now_[way].held || out.ended)
    return true;
  std::string bytes(16'384, '\0');
  const auto count = ::recv(x.ends[way].get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count < 0)
    return errno == EAGAIN;
  if (count == 0) {
    out.ended = true;
    return true;
  }
  bytes.resize(static_cast<size_t>(count));
  out.queued += bytes.size();
  taken_ += bytes.size();
  out.last_due = due(bytes.size(), way, out);
  out.queue.push_back({out.last_due, std::move(bytes)});
  return true;
}

link_proxy::clock::time_point link_proxy::due(size_t bytes, direction way, const stream& x) {
  const auto& is = now_[way];
  auto at = clock::now() + is.delay;
  if (is.jitter > 0ms)
    at += std::chrono::milliseconds{
        std::uniform_int_distribution<int64_t>{-is.jitter.count(), is.jitter.count()}(random_)};
  if (is.bytes_per_second > 0) {
    free_at_[way] = std::max(free_at_[way], clock::now())
                    + std::chrono::microseconds{bytes * 1'000'000 / is.bytes_per_second};
    at = std::max(at, free_at_[way] + is.delay);
  }
  auto lost = [&] {
    return is.loss_percent > 0
           && std::uniform_int_distribution<unsigned>{0, 99}(random_) < is.loss_percent;
  };
  for (size_t i = 0; i < (bytes + segment - 1) / segment; ++i) {
    auto wait = std::chrono::milliseconds{first_retransmission};
    for (int again = 0; again < most_retransmissions && lost(); ++again, wait *= 2)
      at += wait;
  }
  return std::max(at, x.last_due);
}

bool link_proxy::give(connection& x, direction way) {
  if (now_[way].held)
    return true;
  auto& in = x.streams[way];
  const int to = x.ends[other(way)].get();
  const auto now = clock::now();
  while (!in.queue.empty() && in.queue.front().due <= now) {
    auto& first = in.queue.front();
    const auto sent = ::send(to, first.bytes.data() + first.sent, first.bytes.size() - first.sent,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0)
      return errno == EAGAIN;
    first.sent += static_cast<size_t>(sent);
    bytes_ += static_cast<uint64_t>(sent);
    in.queued -= static_cast<size_t>(sent);
    if (first.sent < first.bytes.size())
      return true;
    in.queue.pop_front();
  }
  if (in.queue.empty() && in.ended && !in.passed) {
    in.passed = true;
    ::shutdown(to, SHUT_WR);
  }
  return true;
}

} // namespace novacron::chaos
