#include "hypervisor/fencer/libvirtd_launch.hpp"

#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/chore.hpp"
#include "messages/descriptor.hpp"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace novacron {

namespace {

failure unsupported(std::string message) {
  return make_failure(hypervisor_errc::not_supported, std::move(message));
}

/// What the child needs, made before the fork: after it, in a process that may
/// have had threads, only system calls are allowed.
struct launch {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  const libvirtd_layout* layout = nullptr;
  const unix_account* account = nullptr;
  bool session = true;
  bool privileged = false;
  pid_t parent = 0;
  int log = -1;    ///< takes its output
  int report = -1; ///< pipe; closed by a successful exec
};

/// Which step failed, as the child tells it.
struct launch_error {
  char step[48];
  int code;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> x;
  for (auto& text : texts)
    x.push_back(text.data());
  x.push_back(nullptr);
  return x;
}

[[noreturn]] void give_up(const launch& x, const char* step) {
  launch_error error{};
  error.code = errno;
  std::strncpy(error.step, step, sizeof error.step - 1);
  [[maybe_unused]] auto told = ::write(x.report, &error, sizeof error);
  ::_exit(127);
}

void be_ordinary(const launch& x) {
  ::setsid();
  for (int number = 1; number < NSIG; ++number)
    ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpriority(PRIO_PROCESS, 0, 0);
  if (int oom = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); oom >= 0) {
    [[maybe_unused]] auto written = ::write(oom, "0", 1);
    ::close(oom);
  }
  int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(x.log, 1) < 0 || ::dup2(x.log, 2) < 0)
    give_up(x, "redirect its output");
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  ::umask(022);
}

void enter_namespace(const launch& x) {
  // Mounts made later by the host (guests' disks) still arrive here; ours stay here.
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
    give_up(x, "make a mount namespace");
  for (const auto& [folder, over] : x.layout->binds) {
    if (::mkdir(over.c_str(), 0755) != 0 && errno != EEXIST)
      give_up(x, "make a mount point for libvirt");
    if (::mount(folder.c_str(), over.c_str(), nullptr, MS_BIND, nullptr) != 0)
      give_up(x, "bind libvirt's folders");
  }
}

void become(const launch& x) {
  // Raw system calls: the C library's would signal threads that a forked child hasn't got.
  const auto& who = *x.account;
  if (::syscall(SYS_setgroups, who.groups.size(), who.groups.data()) != 0
      || ::syscall(SYS_setresgid, who.gid, who.gid, who.gid) != 0
      || ::syscall(SYS_setresuid, who.uid, who.uid, who.uid) != 0)
    give_up(x, "become libvirtd's user");
}

[[noreturn]] void run_child(const launch& x, char* const* arguments, char* const* environment) {
  be_ordinary(x);
  if (!x.session)
    enter_namespace(x);
  else if (x.privileged)
    become(x);
  // After the change of user, which would clear it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != x.parent)
    ::_exit(127);
  if (::chdir("/") != 0 || ::access(x.layout->config.c_str(), R_OK) != 0)
    give_up(x, "reach its configuration as its user");
  ::execve(arguments[0], arguments, environment);
  give_up(x, "execute");
}

launch describe(const fencer_config& config, const libvirtd_layout& layout,
                const unix_account& account) {
  launch x;
  x.layout = &layout;
  x.account = &account;
  x.session = config.mode == libvirt_mode::session;
  x.privileged = ::geteuid() == 0;
  x.parent = ::getpid();
  x.arguments
      = {config.libvirtd.native(), "-f", layout.config.native(), "-p", layout.pid_file.native()};
  x.environment
      = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"};
  if (x.session) {
    auto root = layout.root.native();
    for (const auto& [name, folder] : {std::pair{"HOME", "/home"},
                                       {"XDG_RUNTIME_DIR", "/run"},
                                       {"XDG_CONFIG_HOME", "/config"},
                                       {"XDG_CACHE_HOME", "/cache"},
                                       {"XDG_DATA_HOME", "/data"}})
      x.environment.push_back(name + ("=" + root) + folder);
    x.environment.push_back("USER=" + account.name);
  }
  return x;
}

} // namespace

result<unix_account> find_account(const fencer_config& config) {
  bool privileged = ::geteuid() == 0;
  if (config.mode == libvirt_mode::system) {
    if (!privileged)
      return unsupported("libvirtd in system mode must be started by root; start as root or "
                         "choose session mode");
    if (::getpwnam("libvirt-qemu") == nullptr || ::getgrnam("libvirt-qemu") == nullptr)
      return unsupported("libvirtd in system mode needs a user and a group libvirt-qemu; make them "
                         "with: groupadd -r libvirt-qemu; useradd -r -g libvirt-qemu libvirt-qemu");
    return unix_account{"root", 0, 0, {0}};
  }
  const auto* entry = privileged ? ::getpwnam(config.user.c_str()) : ::getpwuid(::geteuid());
  if (entry == nullptr)
    return unsupported("there is no user " + config.user
                       + " for libvirtd in session mode; make it with: useradd -r -M -s "
                         "/usr/sbin/nologin "
                       + config.user);
  if (privileged && entry->pw_uid == 0)
    return unsupported("libvirtd in session mode can't run as root; choose another user or system "
                       "mode");
  unix_account x{entry->pw_name, entry->pw_uid, entry->pw_gid, std::vector<gid_t>(64)};
  int count = static_cast<int>(x.groups.size());
  if (::getgrouplist(x.name.c_str(), x.gid, x.groups.data(), &count) < 0)
    count = static_cast<int>(x.groups.size());
  x.groups.resize(static_cast<size_t>(count));
  return x;
}

result<int> launch_libvirtd(const fencer_config& config, const libvirtd_layout& layout,
                            const unix_account& account) {
  auto refused = [&](const std::string& why) {
    return make_failure(hypervisor_errc::refused, "can't start libvirtd " + config.libvirtd.native()
                                                      + " on " + layout.state.native() + ": "
                                                      + why);
  };
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return refused(std::string{std::strerror(errno)} + "; end other processes");
  descriptor reading{ends[0]};
  descriptor writing{ends[1]};
  auto child = describe(config, layout, account);
  const auto log = start_log_copier(bounded_log{layout.log});
  child.log = log.get();
  child.report = writing.get();
  auto arguments = pointers(child.arguments);
  auto environment = pointers(child.environment);
  auto pid = ::fork();
  if (pid < 0)
    return refused(std::string{std::strerror(errno)} + "; end other processes");
  if (pid == 0)
    run_child(child, arguments.data(), environment.data());
  writing = {};
  // A disk that hangs may hold the child back from its exec; the caller has other duties.
  pollfd waited{reading.get(), POLLIN, 0};
  launch_error error{};
  if (::poll(&waited, 1, 500) != 1 || ::read(reading.get(), &error, sizeof error) != sizeof error)
    return pid;
  ::waitpid(pid, nullptr, 0);
  return refused(std::string{"can't "} + error.step + ": " + std::strerror(error.code)
                 + "; check the executable, and that each folder above the state folder lets "
                 + account.name + " pass (chmod o+x)");
}

} // namespace novacron
