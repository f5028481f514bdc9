#include "watchdog_stand_in.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <fstream>
#include <linux/watchdog.h>
#include <sstream>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace novacron::test {

namespace {

std::string name_of(int fd) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error)
      .filename()
      .native();
}

void note(int fd, const std::string& what) {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const auto line = what + ' ' + std::to_string(now.tv_sec * 1'000'000'000 + now.tv_nsec) + '\n';
  ::lseek(fd, 0, SEEK_END);
  [[maybe_unused]] auto written = ::write(fd, line.data(), line.size());
}

int refuse(int error) {
  errno = error;
  return -1;
}

int set_timeout(int fd, const std::string& name, int* seconds) {
  constexpr std::string_view least = "least-";
  const auto at = name.find(least);
  if (at != std::string::npos && *seconds < std::atoi(name.c_str() + at + least.size()))
    return refuse(EINVAL);
  note(fd, "timeout " + std::to_string(*seconds));
  return 0;
}

int answer(int fd, const std::string& name, unsigned long request, void* argument) {
  if (request == WDIOC_GETSUPPORT) {
    auto* about = static_cast<watchdog_info*>(argument);
    about->options = WDIOF_KEEPALIVEPING;
    if (name.find("fixed") == std::string::npos)
      about->options |= WDIOF_SETTIMEOUT;
    if (name.find("careless") == std::string::npos)
      about->options |= WDIOF_MAGICCLOSE;
    return 0;
  }
  if (request == WDIOC_SETTIMEOUT)
    return set_timeout(fd, name, static_cast<int*>(argument));
  if (request != WDIOC_KEEPALIVE)
    return refuse(ENOTTY);
  note(fd, "pet");
  return 0;
}

} // namespace

std::vector<watchdog_event> pets_of(const std::filesystem::path& file) {
  std::vector<watchdog_event> pets;
  std::ifstream in{file};
  std::chrono::seconds timeout{0};
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    std::string what;
    int64_t number = 0;
    words >> what;
    if (what == "timeout" && words >> number)
      timeout = std::chrono::seconds{number};
    if (words >> number)
      pets.push_back({std::chrono::nanoseconds{number}, timeout});
  }
  return pets;
}

bool disarmed(const std::filesystem::path& file) {
  std::ifstream in{file};
  const std::string all{std::istreambuf_iterator<char>{in}, {}};
  return all.ends_with('V');
}

} // namespace novacron::test

/// In place of the C library's, for the whole program.
extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  using ioctl_function = int (*)(int, unsigned long, ...);
  static const auto next = reinterpret_cast<ioctl_function>(::dlsym(RTLD_NEXT, "ioctl"));
  va_list arguments;
  va_start(arguments, request);
  auto* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (_IOC_TYPE(request) == WATCHDOG_IOCTL_BASE)
    if (const auto name = novacron::test::name_of(fd); name.ends_with(".watchdog"))
      return novacron::test::answer(fd, name, request, argument);
  return next(fd, request, argument);
}
