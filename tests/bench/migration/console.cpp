#include "tests/bench/migration/console.hpp"

#include "dwcp/transport/sockets.hpp"
#include "tests/becomes_true.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>

namespace novacron::bench {

console::console(const std::filesystem::path& socket) : stop_{::eventfd(0, EFD_CLOEXEC)} {
  auto connected = connect_unix(socket);
  if (!connected)
    throw std::runtime_error{connected.error().message};
  socket_ = std::move(*connected);
  thread_ = std::thread{[this] { read_all(); }};
}

console::~console() {
  const uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void console::read_all() {
  std::string input;
  for (;;) {
    std::array<pollfd, 2> wanted{pollfd{socket_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    ::poll(wanted.data(), wanted.size(), -1);
    const auto now = std::chrono::system_clock::now();
    if (wanted[1].revents != 0)
      return;
    if (wanted[0].revents == 0)
      continue;
    std::array<char, 4'096> buffer;
    const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0)
      return; // QEMU has ended
    input.append(buffer.data(), static_cast<size_t>(got));
    for (auto end = input.find('\n'); end != input.npos; end = input.find('\n')) {
      take_line(input.substr(0, end), now);
      input.erase(0, end + 1);
    }
  }
}

void console::take_line(const std::string& line, std::chrono::system_clock::time_point now) {
  constexpr std::string_view head = "TICK ";
  if (!line.starts_with(head))
    return;
  const std::scoped_lock lock{mutex_};
  ticks_.push_back({now, std::strtoull(line.c_str() + head.size(), nullptr, 10),
                    line.find(" mem=ok ") != line.npos});
}

std::vector<tick> console::ticks() const {
  const std::scoped_lock lock{mutex_};
  return ticks_;
}

void console::wait_for_ticks(size_t count, std::chrono::seconds limit) const {
  if (!becomes_true(limit, [&] { return ticks().size() >= count; }))
    throw std::runtime_error{"the guest ticked " + std::to_string(ticks().size()) + " times in "
                             + std::to_string(limit.count()) + " s"};
}

std::chrono::milliseconds longest_gap(std::vector<tick> all,
                                      std::chrono::system_clock::time_point begin) {
  std::ranges::sort(all, {}, &tick::came);
  std::chrono::system_clock::duration longest{0};
  for (size_t i = 1; i < all.size(); ++i)
    if (all[i].came >= begin)
      longest = std::max(longest, all[i].came - all[i - 1].came);
  return std::chrono::round<std::chrono::milliseconds>(longest);
}

} // namespace novacron::bench
