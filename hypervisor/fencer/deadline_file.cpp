#include "hypervisor/fencer/deadline_file.hpp"

#include "messages/descriptor.hpp"

#include <charconv>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace novacron {

deadline_file::deadline_file(std::filesystem::path path, std::string boot)
    : path_{std::move(path)}, boot_{std::move(boot)} {}

std::optional<std::chrono::nanoseconds> deadline_file::read() const {
  descriptor file{::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  if (!file && errno == ENOENT)
    return {};
  char buffer[128];
  auto n = ::read(file.get(), buffer, sizeof buffer);
  std::string_view text{buffer, static_cast<size_t>(std::max<ssize_t>(n, 0))};
  auto space = text.find(' ');
  int64_t deadline = 0;
  if (space == std::string_view::npos || !text.ends_with('\n'))
    return std::chrono::nanoseconds{0};
  if (text.substr(0, space) != boot_)
    return {};
  auto [end, error]
      = std::from_chars(text.data() + space + 1, text.data() + text.size() - 1, deadline);
  if (error != std::errc{} || end != text.data() + text.size() - 1 || deadline < 0)
    return std::chrono::nanoseconds{0};
  return std::chrono::nanoseconds{deadline};
}

bool deadline_file::write(std::chrono::nanoseconds deadline) const {
  auto fresh = path_;
  fresh += ".new";
  auto text = boot_ + ' ' + std::to_string(deadline.count()) + '\n';
  descriptor file{
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())
         && ::rename(fresh.c_str(), path_.c_str()) == 0;
}

std::string current_boot() {
  std::string id;
  std::ifstream{"/proc/sys/kernel/random/boot_id"} >> id;
  return id;
}

std::chrono::nanoseconds boot_time() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

} // namespace novacron
