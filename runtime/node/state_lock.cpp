#include "runtime/node/state_lock.hpp"

#include "runtime/errors.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <sys/file.h>
#include <sys/socket.h>

namespace novacron {

namespace {

failure unusable(const std::filesystem::path& folder, const std::string& why) {
  return make_failure(runtime_errc::folder, "the state folder " + folder.string() + ": " + why
                                                + "; choose another node.state, or mend this one");
}

std::string holder_of(int lock) {
  std::array<char, 16> text{};
  const auto size = ::pread(lock, text.data(), text.size(), 0);
  std::string pid{text.data(), size > 0 ? static_cast<size_t>(size) : 0};
  pid.resize(std::min(pid.find('\n'), pid.size()));
  return pid.empty() ? "another process" : "process " + pid;
}

struct address_free {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

} // namespace

result<descriptor> lock_node_folder(const std::filesystem::path& folder) {
  std::error_code error;
  // Others may pass through: session mode's libvirtd runs under another user.
  if (std::filesystem::create_directories(folder, error))
    std::filesystem::permissions(folder, std::filesystem::perms{0711}, error);
  if (error)
    return unusable(folder, error.message());
  descriptor lock{::open((folder / "node.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
  if (!lock)
    return unusable(folder, "cannot write there: " + std::string{std::strerror(errno)});
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return make_failure(runtime_errc::folder,
                        "the state folder " + folder.string() + " belongs to a running node ("
                            + holder_of(lock.get()) + "); stop it, or choose another node.state");
  const auto pid = std::to_string(::getpid()) + '\n';
  if (::ftruncate(lock.get(), 0) != 0
      || ::pwrite(lock.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return unusable(folder, "cannot write there: " + std::string{std::strerror(errno)});
  return lock;
}

result<void> check_free(const address& where, const std::string& key) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const auto code
      = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &wanted, &found);
  std::unique_ptr<addrinfo, address_free> list{found};
  if (code != 0)
    return make_failure(runtime_errc::taken, key + " = " + to_string(where) + ": "
                                                 + ::gai_strerror(code)
                                                 + "; write an address of this machine");
  descriptor socket{::socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(socket.get(), list->ai_addr, list->ai_addrlen) == 0 && ::listen(socket.get(), 1) == 0)
    return {};
  return make_failure(runtime_errc::taken,
                      key + " = " + to_string(where)
                          + ": cannot listen there: " + std::strerror(errno)
                          + "; end whoever listens there, or choose another address");
}

} // namespace novacron
