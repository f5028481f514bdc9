#include "hypervisor/fencer/pid_handle.hpp"

#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace novacron {

namespace {

constexpr size_t longest_entry = 256 * 1024;

std::filesystem::path entry(int pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

} // namespace

pid_handle pid_handle::open(int pid) {
  pid_handle x;
  x.fd_ = descriptor{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  x.pid_ = pid;
  return x;
}

bool pid_handle::signal(int number) const {
  return ::syscall(SYS_pidfd_send_signal, fd_.get(), number, nullptr, 0) == 0;
}

bool pid_handle::dead(std::chrono::milliseconds patience) const {
  pollfd waited{fd_.get(), POLLIN, 0};
  return ::poll(&waited, 1, static_cast<int>(patience.count())) == 1;
}

std::vector<int> all_pids() {
  std::vector<int> pids;
  std::unique_ptr<DIR, int (*)(DIR*)> folder{::opendir("/proc"), ::closedir};
  while (const auto* item = folder ? ::readdir(folder.get()) : nullptr) {
    std::string_view name{item->d_name};
    int pid = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && end == name.data() + name.size())
      pids.push_back(pid);
  }
  return pids;
}

std::string read_proc(int pid, const char* name) {
  descriptor file{::open(entry(pid, name).c_str(), O_RDONLY | O_CLOEXEC)};
  std::string text;
  char buffer[4096];
  while (file && text.size() < longest_entry) {
    auto n = ::read(file.get(), buffer, sizeof buffer);
    if (n <= 0)
      break;
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

std::vector<std::string> split_proc_list(const std::string& text) {
  std::vector<std::string> items;
  for (size_t at = 0; at < text.size();) {
    auto end = std::min(text.find('\0', at), text.size());
    items.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return items;
}

std::filesystem::path executable_of(int pid) {
  std::error_code error;
  auto path = std::filesystem::read_symlink(entry(pid, "exe"), error).native();
  constexpr std::string_view deleted = " (deleted)";
  if (path.ends_with(deleted))
    path.resize(path.size() - deleted.size());
  return path;
}

} // namespace novacron
