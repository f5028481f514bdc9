#include "hypervisor/fencer/state_folder.hpp"

#include "hypervisor/errors.hpp"

#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace novacron {

namespace fs = std::filesystem;

namespace {

constexpr const char* lock_name = "fencer.lock";
constexpr const char* socket_name = "fencer.sock";

failure unfit(const fs::path& path, const std::string& why) {
  return make_failure(hypervisor_errc::refused,
                      "can't use " + path.native() + " for the fencer's state: " + why
                          + "; choose another state folder or mend this one");
}

descriptor open_lock(const fs::path& state, int flags) {
  return descriptor{::open((state / lock_name).c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600)};
}

/// A UNIX address below an open folder: short, however long the folder's path.
sockaddr_un address_in(const descriptor& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + socket_name;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

descriptor open_folder(const fs::path& state) {
  return descriptor{::open(state.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

descriptor packet_socket(int flags) {
  return descriptor{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0)};
}

} // namespace

result<void> claim_state_folder(const fs::path& state) {
  std::error_code error;
  if (fs::create_directories(state, error))
    ::chmod(state.c_str(), 0711);
  struct stat facts {};
  if (error || ::lstat(state.c_str(), &facts) != 0)
    return unfit(state, error ? error.message() : std::strerror(errno));
  if (!S_ISDIR(facts.st_mode) || facts.st_uid != ::geteuid())
    return unfit(state, "it is not a folder of our own");
  if ((facts.st_mode & 022) != 0)
    return unfit(state, "others can write to it");
  if (::chmod(state.c_str(), (facts.st_mode | 0111) & 07777) != 0)
    return unfit(state, std::strerror(errno));
  return {};
}

result<void> name_state_folder(const libvirtd_layout& layout) {
  if (layout.root == layout.state)
    return {};
  std::error_code error;
  auto named = fs::read_symlink(layout.root, error);
  if (named == layout.state)
    return {};
  if (auto lock = open_lock(named, O_RDONLY);
      !error && lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0)
    return unfit(layout.root,
                 "it is the short name of " + named.native() + ", where a fencer is running");
  auto folder = layout.root.parent_path();
  if (::mkdir(folder.c_str(), 0711) != 0 && errno != EEXIST)
    return unfit(folder, std::strerror(errno));
  auto fresh = layout.root;
  fresh += "." + std::to_string(::getpid());
  fs::remove(fresh, error);
  fs::create_symlink(layout.state, fresh, error);
  if (!error)
    fs::rename(fresh, layout.root, error);
  if (error)
    return unfit(layout.root, error.message());
  return {};
}

result<descriptor> lock_state_folder(const fs::path& state) {
  auto lock = open_lock(state, O_RDWR | O_CREAT);
  if (!lock)
    return unfit(state, std::strerror(errno));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return make_failure(hypervisor_errc::already_there, "another fencer is running on "
                                                            + state.native()
                                                            + "; use that one, or stop it first");
  return lock;
}

result<descriptor> listen_in_folder(const fs::path& state) {
  auto folder = open_folder(state);
  auto socket = packet_socket(SOCK_NONBLOCK);
  auto address = address_in(folder);
  ::unlinkat(folder.get(), socket_name, 0);
  auto mask = ::umask(0177);
  bool bound = ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  auto error = errno;
  ::umask(mask);
  if (!bound || ::listen(socket.get(), 8) != 0)
    return unfit(state / socket_name, std::strerror(bound ? errno : error));
  return socket;
}

result<descriptor> connect_in_folder(const fs::path& state) {
  auto folder = open_folder(state);
  auto socket = packet_socket(0);
  // A fencer that doesn't accept must not hold us: its backlog may be full.
  timeval patience{1, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  auto address = address_in(folder);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return make_failure(hypervisor_errc::unreachable, "no fencer answers on "
                                                          + (state / socket_name).native() + ": "
                                                          + std::strerror(errno) + "; start one");
  return socket;
}

} // namespace novacron
