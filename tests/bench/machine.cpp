#include "machine.hpp"

#include "latencies.hpp"
#include "messages/descriptor.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <stdexcept>
#include <string>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

namespace novacron::bench {

namespace {

/// The value behind "name:" in a file of /proc.
std::string proc_field(const std::string& file, const std::string& name) {
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(name) && line.find(':') != line.npos) {
      auto value = line.substr(line.find(':') + 1);
      value.erase(0, value.find_first_not_of(" \t"));
      return value;
    }
  return {};
}

} // namespace

double load_average() {
  double load = 0;
  return ::getloadavg(&load, 1) == 1 ? load : -1;
}

boost::json::object describe_machine() {
  utsname kernel{};
  ::uname(&kernel);
  return {{"processors", std::thread::hardware_concurrency()},
          {"model", proc_field("/proc/cpuinfo", "model name")},
          {"memory", proc_field("/proc/meminfo", "MemTotal")},
          {"kernel", kernel.release},
          {"load_at_start", load_average()}};
}

boost::json::object measure_sync(const std::filesystem::path& folder, size_t bytes, int writes) {
  const auto file = folder / "sync";
  descriptor out{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  const std::string block(bytes, 'x');
  latencies times;
  for (int i = 0; i < writes; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    if (::write(out.get(), block.data(), bytes) != static_cast<ssize_t>(bytes)
        || ::fdatasync(out.get()) != 0)
      throw std::runtime_error{"cannot write to " + file.string()};
    times.add(std::chrono::steady_clock::now() - begin);
  }
  std::filesystem::remove(file);
  return {{"bytes", bytes},
          {"p50_ms", times.percentile_ms(0.5)},
          {"p99_ms", times.percentile_ms(0.99)}};
}

uint64_t resident_bytes(pid_t process) {
  const auto text = proc_field("/proc/" + std::to_string(process) + "/status", "VmRSS");
  return text.empty() ? 0 : std::stoull(text) * 1'024;
}

} // namespace novacron::bench
