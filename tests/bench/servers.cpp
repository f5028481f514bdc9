#include "servers.hpp"

#include "runtime/node/state_lock.hpp"

#include <csignal>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace novacron::bench {

using namespace std::chrono_literals;

namespace {

/// Below the ports that the kernel gives to outgoing connections.
constexpr int first_port = 20'000;
constexpr int last_port = 31'000;

bool all_free(int first, int count) {
  for (int port = first; port < first + count; ++port)
    if (!check_free({"127.0.0.1", static_cast<uint16_t>(port)}, "port"))
      return false;
  return true;
}

} // namespace

std::filesystem::path servers::log_of(int number) const {
  return folder_ / ("server-" + std::to_string(number) + ".log");
}

void servers::start(int number) {
  auto command = command_(number);
  command.output = log_of(number);
  auto process = child_process::start(command);
  if (!process)
    throw std::runtime_error{process.error().message};
  processes_.erase(number);
  processes_.emplace(number, std::move(*process));
}

void servers::kill(int number) {
  auto& process = processes_.at(number);
  process.signal(SIGKILL);
  if (!process.wait(10s))
    throw std::runtime_error{"server " + std::to_string(number) + " doesn't die"};
  processes_.erase(number);
}

uint16_t free_ports(int count) {
  const auto places = (last_port - first_port) / count;
  for (int i = 0; i < places; ++i) {
    const auto first = first_port + (::getpid() + i) % places * count;
    if (all_free(first, count))
      return static_cast<uint16_t>(first);
  }
  throw std::runtime_error{"there are no " + std::to_string(count) + " free ports in a row"};
}

void wait_until(const std::string& what, std::chrono::milliseconds limit,
                const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline)
      throw std::runtime_error{"not within " + std::to_string(limit.count()) + " ms: " + what};
    std::this_thread::sleep_for(5ms);
  }
}

} // namespace novacron::bench
