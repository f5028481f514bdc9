#include "tcp_proxy.hpp"

#include "dwcp/transport/sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

namespace novacron::testing {

tcp_proxy::tcp_proxy(uint16_t to, const faults& what)
    : faults_{what}, to_{to}, listener_{listen_tcp("127.0.0.1", 0).value()}, port_{local_port(
                                                                                 listener_)} {
  thread_ = std::thread{[this] { run(); }};
}

tcp_proxy::~tcp_proxy() {
  stop_.raise();
  thread_.join();
}

void tcp_proxy::release() {
  released_ = true;
  look_again_.raise();
}

void tcp_proxy::run() {
  for (;;) {
    look_again_.clear();
    std::vector<pollfd> all{
        {stop_.fd(), POLLIN, 0}, {listener_.get(), POLLIN, 0}, {look_again_.fd(), POLLIN, 0}};
    for (const auto& x : links_) {
      const bool held = holding();
      const bool stalled = x.stalled && !released_;
      all.push_back({held || stalled || x.source_ended ? -1 : x.source.get(), POLLIN, 0});
      all.push_back({held || x.destination_ended ? -1 : x.destination.get(), POLLIN, 0});
    }
    for (const auto& x : held_)
      all.push_back({x.get(), POLLRDHUP, 0});
    ::poll(all.data(), all.size(), -1);
    if (all[0].revents != 0)
      return;
    std::vector<size_t> ended;
    for (size_t i = 0; i < links_.size(); ++i)
      if ((all[3 + 2 * i].revents != 0 && !forward(links_[i], true))
          || (all[4 + 2 * i].revents != 0 && !forward(links_[i], false)))
        ended.push_back(i);
    const auto first_held = 3 + 2 * links_.size();
    for (auto i = held_.size(); i-- > 0;)
      if (all[first_held + i].revents != 0) {
        held_.erase(held_.begin() + static_cast<ptrdiff_t>(i));
        --unanswered_;
        ++unanswered_ended_;
      }
    for (auto i = ended.rbegin(); i != ended.rend(); ++i)
      links_.erase(links_.begin() + static_cast<ptrdiff_t>(*i));
    if (cuts_ < faults_.cuts && there_ >= faults_.cut_each * static_cast<uint64_t>(cuts_ + 1)) {
      links_.clear();
      ++cuts_;
    }
    if (there_ >= faults_.cut_all_after) {
      links_.clear();
      listener_.reset();
    }
    if (all[1].revents != 0)
      accept();
  }
}

void tcp_proxy::accept() {
  auto source = accept_one(listener_);
  if (!source)
    return;
  if (cut_one_ && faults_.hold_later) {
    held_.push_back(std::move(source));
    ++unanswered_;
    return;
  }
  links_.push_back(
      {std::move(source), connect_tcp("127.0.0.1", to_, stop_,
                                      std::chrono::steady_clock::now() + std::chrono::seconds{5})
                              .value()});
}

/// False when the link has ended, by its ends' will or by a fault.
bool tcp_proxy::forward(link& x, bool there) {
  std::array<char, 16384> buffer{};
  const int from = there ? x.source.get() : x.destination.get();
  const int to = there ? x.destination.get() : x.source.get();
  const auto count = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN)
    return true;
  if (count < 0)
    return false;
  if (count == 0) {
    (there ? x.source_ended : x.destination_ended) = true;
    ::shutdown(to, SHUT_WR);
    return !x.source_ended || !x.destination_ended;
  }
  auto& carried = there ? there_ : back_;
  const auto before = carried.fetch_add(static_cast<uint64_t>(count));
  const auto after = before + static_cast<uint64_t>(count);
  if (there && faults_.flip_bit_at >= before && faults_.flip_bit_at < after)
    buffer[faults_.flip_bit_at - before] ^= 4;
  if (there && after > faults_.cut_one_after && !std::exchange(cut_one_, true))
    return false;
  if (there && after > faults_.stall_one_after && !std::exchange(stalled_one_, true))
    x.stalled = true; // with this part, that something of the frame is missing
  size_t done = 0;
  while (done < static_cast<size_t>(count)) {
    const auto sent = ::send(to, buffer.data() + done, static_cast<size_t>(count) - done,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN)
      return false;
    if (sent > 0)
      done += static_cast<size_t>(sent);
    else if (wait_for(to, POLLOUT, stop_, deadline::max()) != readiness::ready)
      return false;
  }
  return true;
}

} // namespace novacron::testing
