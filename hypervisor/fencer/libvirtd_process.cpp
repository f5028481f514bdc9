#include "hypervisor/fencer/libvirtd_process.hpp"

#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/libvirtd_launch.hpp"
#include "hypervisor/fencer/pid_handle.hpp"
#include "hypervisor/fencer/state_folder.hpp"
#include "messages/descriptor.hpp"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

namespace novacron {

namespace fs = std::filesystem;

namespace {

/// Files are made with the rights of libvirtd's user: below a folder that is
/// his, root would follow his symbolic links.
class files_as {
public:
  files_as(uid_t uid, gid_t gid) : gid_{::setfsgid(gid)}, uid_{::setfsuid(uid)} {}
  ~files_as() {
    ::setfsuid(static_cast<uid_t>(uid_));
    ::setfsgid(static_cast<gid_t>(gid_));
  }
  files_as(const files_as&) = delete;
  files_as& operator=(const files_as&) = delete;

private:
  int gid_;
  int uid_;
};

failure no_folder(const fs::path& path, const std::string& why) {
  return make_failure(hypervisor_errc::refused,
                      "can't prepare libvirtd: folder " + path.native() + ": " + why
                          + "; choose another state folder or mend this one");
}

result<void> make_folder(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    return no_folder(path, std::strerror(errno));
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode))
    return no_folder(path, "not a folder");
  return {};
}

result<void> write_file(const fs::path& path, const std::string& text) {
  auto fresh = path;
  fresh += ".new";
  descriptor file{
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644)};
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())
      || ::rename(fresh.c_str(), path.c_str()) != 0)
    return no_folder(path.parent_path(), std::strerror(errno));
  return {};
}

bool runs_on(int pid, const fs::path& executable, const fs::path& pid_file) {
  if (executable_of(pid) != executable)
    return false;
  auto arguments = split_proc_list(read_proc(pid, "cmdline"));
  for (size_t i = 1; i < arguments.size(); ++i)
    if (arguments[i - 1] == "-p" && arguments[i] == pid_file)
      return true;
  return false;
}

} // namespace

libvirtd_process::libvirtd_process(fencer_config config)
    : config_{std::move(config)}, layout_{lay_out_libvirtd(config_)} {}

result<void> libvirtd_process::prepare() {
  auto account = find_account(config_);
  if (!account)
    return account.error();
  account_ = *account;
  if (auto claimed = claim_state_folder(layout_.state); !claimed)
    return claimed;
  if (auto linked = name_state_folder(layout_); !linked)
    return linked;
  bool session = config_.mode == libvirt_mode::session;
  for (const auto& folder : layout_.folders) {
    if (!session || folder.parent_path() == layout_.root) {
      if (auto made = make_folder(folder, session ? 0700 : 0755); !made)
        return made;
      if (session && ::lchown(folder.c_str(), account->uid, account->gid) != 0)
        return no_folder(folder, std::strerror(errno));
    }
  }
  files_as owner{account->uid, account->gid};
  for (const auto& folder : layout_.folders)
    if (auto made = make_folder(folder, 0700); !made)
      return made;
  auto conf = layout_.qemu_config.parent_path() / "libvirtd.conf";
  if (auto written = write_file(conf, libvirtd_conf(config_)); !written)
    return written;
  return write_file(layout_.qemu_config, qemu_conf(config_.mode));
}

result<int> libvirtd_process::start() const {
  const auto account = account_ ? result<unix_account>{*account_} : find_account(config_);
  if (!account)
    return account.error();
  return launch_libvirtd(config_, layout_, *account);
}

result<int> libvirtd_process::end_all(std::chrono::milliseconds patience) const {
  std::error_code error;
  auto executable = fs::canonical(config_.libvirtd, error);
  if (error)
    executable = config_.libvirtd;
  std::vector<pid_handle> found;
  for (auto pid : all_pids()) {
    auto handle = pid_handle::open(pid);
    if (handle && runs_on(pid, executable, layout_.pid_file))
      found.push_back(std::move(handle));
  }
  for (const auto& x : found)
    x.signal(SIGTERM);
  auto end = std::chrono::steady_clock::now() + patience;
  for (const auto& x : found) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (x.dead(std::max(left, std::chrono::milliseconds{0})))
      continue;
    x.signal(SIGKILL);
    if (!x.dead(std::chrono::seconds{2}))
      return make_failure(hypervisor_errc::refused,
                          "can't end libvirtd " + std::to_string(x.pid())
                              + ": it doesn't die of SIGKILL within 2 s; it may hang in a disk: "
                                "look at its state in /proc");
  }
  return static_cast<int>(found.size());
}

} // namespace novacron
