#include "hypervisor/libvirt/guest_files.hpp"

#include "hypervisor/errors.hpp"
#include "messages/descriptor.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace novacron {

namespace fs = std::filesystem;

namespace {

constexpr size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;

failure cannot(const std::string& what, const fs::path& path, const std::string& why) {
  return make_failure(hypervisor_errc::refused,
                      "cannot " + what + ' ' + path.native() + ": " + why
                          + "; choose another path, or give this user the right to it");
}

/// Only root can give files away, and only needs to when QEMU isn't root.
bool must_give(file_owner owner) {
  return ::geteuid() == 0 && owner.uid != 0;
}

} // namespace

result<file_owner> owner_of_socket(const fs::path& libvirt_socket) {
  struct stat facts {};
  if (::stat(libvirt_socket.c_str(), &facts) != 0)
    return make_failure(hypervisor_errc::unreachable,
                        "cannot find libvirtd's socket " + libvirt_socket.native() + ": "
                            + std::strerror(errno) + "; see that libvirtd runs");
  return file_owner{facts.st_uid, facts.st_gid};
}

result<void> make_folder_for(const fs::path& folder, file_owner owner) {
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) == 0)
    return S_ISDIR(facts.st_mode) ? result<void>{} : cannot("use", folder, "not a folder");
  if (folder.has_parent_path() && folder.parent_path() != folder)
    if (auto above = make_folder_for(folder.parent_path(), owner); !above)
      return above;
  if (::mkdir(folder.c_str(), 0755) != 0) {
    if (errno == EEXIST) // somebody else was faster
      return {};
    return cannot("make the folder", folder, std::strerror(errno));
  }
  if (must_give(owner) && ::lchown(folder.c_str(), owner.uid, owner.gid) != 0)
    return cannot("give away the folder", folder, std::strerror(errno));
  return {};
}

result<void> make_console_log(const fs::path& log, file_owner owner) {
  if (auto folder = make_folder_for(log.parent_path(), owner); !folder)
    return folder;
  const descriptor file{
      ::open(log.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)};
  if (!file)
    return errno == EEXIST ? result<void>{} : cannot("make", log, std::strerror(errno));
  if (must_give(owner) && ::fchown(file.get(), owner.uid, owner.gid) != 0)
    return cannot("give away", log, std::strerror(errno));
  return {};
}

result<void> clear_stream_socket(const fs::path& socket, file_owner owner) {
  if (socket.native().size() > longest_socket_path)
    return cannot("listen on", socket,
                  "a UNIX socket's path has at most " + std::to_string(longest_socket_path)
                      + " bytes");
  if (auto folder = make_folder_for(socket.parent_path(), owner); !folder)
    return folder;
  struct stat facts {};
  if (::lstat(socket.c_str(), &facts) != 0)
    return {};
  if (!S_ISSOCK(facts.st_mode))
    return cannot("listen on", socket, "there is a file of that name");
  if (::unlink(socket.c_str()) != 0 && errno != ENOENT)
    return cannot("remove", socket, std::strerror(errno));
  return {};
}

result<void> share_stream_socket(const fs::path& socket, file_owner owner) {
  if (must_give(owner) && ::lchown(socket.c_str(), owner.uid, owner.gid) != 0)
    return cannot("share the socket", socket, std::strerror(errno));
  return {};
}

} // namespace novacron
