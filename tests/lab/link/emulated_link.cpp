#include "tests/lab/link/emulated_link.hpp"

#include "tests/lab/link/tun_device.hpp"

#include <array>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <vector>

namespace novacron::lab {

namespace {

/// A packet on its way.
struct under_way {
  link_queue::time arrives;
  std::vector<std::byte> packet;
};

constexpr const char* congestion_control_file = "/proc/sys/net/ipv4/tcp_congestion_control";

/// From here on packets travel unsegmented.
constexpr double fast_mbit_per_s = 1'000;

link_queue::time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

} // namespace

std::optional<std::string> why_no_links() {
  try {
    const network_namespace probe{"probe"};
  } catch (const std::exception& why) {
    return why.what();
  }
  if (!std::filesystem::exists("/dev/net/tun"))
    return "/dev/net/tun is missing";
  return std::nullopt;
}

emulated_link::emulated_link(const link_shape& shape, const std::string& suffix_a,
                             const std::string& suffix_b)
    : shape_{shape}, a_{(network_namespace::remove_abandoned(), suffix_a)}, b_{suffix_b},
      stop_{::eventfd(0, EFD_CLOEXEC)} {
  // Where packets are lost or must queue, each is one of its own.
  const bool segments
      = shape.loss <= 0 && (shape.rate_mbit_per_s <= 0 || shape.rate_mbit_per_s >= fast_mbit_per_s);
  a_.inside([&] { device_a_ = open_tun({.address = address_a, .segments = segments}); });
  b_.inside([&] { device_b_ = open_tun({.address = address_b, .segments = segments}); });
  there_ = std::thread{[this] { carry(device_a_.get(), device_b_.get(), from_a_, 1); }};
  back_ = std::thread{[this] { carry(device_b_.get(), device_a_.get(), from_b_, 2); }};
}

emulated_link::~emulated_link() {
  const uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(stop_.get(), &one, sizeof one);
  there_.join();
  back_.join();
}

void emulated_link::set_congestion_control(const std::string& name) const {
  const auto set = [&] {
    // Shows the namespace of the thread that opens it.
    std::ofstream file{congestion_control_file};
    if (!(file << name << std::flush))
      throw std::runtime_error{"the kernel lets no namespace have the congestion control " + name};
  };
  a_.inside(set);
  b_.inside(set);
}

std::string emulated_link::congestion_control() const {
  std::string name;
  a_.inside([&] { std::ifstream{congestion_control_file} >> name; });
  return name;
}

void emulated_link::carry(int from, int to, traffic& count, uint64_t seed) {
  ::prctl(PR_SET_TIMERSLACK, 1'000UL); // ns; the usual 50 µs would be half a packet at 100 Mbit/s
  link_queue queue{shape_, seed};
  std::deque<under_way> line;
  std::vector<std::byte> buffer(largest_packet);
  auto take_all = [&] {
    for (;;) {
      const auto got = ::read(from, buffer.data(), buffer.size());
      if (got <= 0)
        return;
      const auto size = static_cast<size_t>(got);
      if (auto at = queue.pass(now(), bytes_on_wire(buffer.data(), size)))
        line.push_back({*at, {buffer.data(), buffer.data() + size}});
      count.bytes = queue.sent_bytes();
      count.dropped = queue.dropped();
      count.lost = queue.lost();
      if (!line.empty() && line.front().arrives <= now())
        return; // what is due goes first
    }
  };
  for (;;) {
    std::array<pollfd, 2> wanted{pollfd{from, POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    timespec wait{};
    if (!line.empty()) {
      const auto left = std::max(line.front().arrives - now(), link_queue::time{0});
      wait.tv_sec = left.count() / 1'000'000'000;
      wait.tv_nsec = left.count() % 1'000'000'000;
    }
    if (::ppoll(wanted.data(), wanted.size(), line.empty() ? nullptr : &wait, nullptr) < 0
        && errno != EINTR)
      return;
    if (wanted[1].revents != 0)
      return;
    if (wanted[0].revents != 0)
      take_all();
    for (; !line.empty() && line.front().arrives <= now(); line.pop_front()) {
      [[maybe_unused]] auto written
          = ::write(to, line.front().packet.data(), line.front().packet.size());
    }
  }
}

} // namespace novacron::lab
