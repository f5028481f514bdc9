#include "hypervisor/fencer/bounded_log.hpp"

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace novacron {

bounded_log::bounded_log(const std::filesystem::path& where)
    : path{where.native()}, old{where.native() + ".1"} {}

int bounded_log::open() const {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && facts.st_size > bound_bytes)
    ::rename(path.c_str(), old.c_str());
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

void bounded_log::renew(int fd) const {
  struct stat ours {};
  struct stat named {};
  if (::fstat(fd, &ours) != 0 || ours.st_size <= bound_bytes || ::stat(path.c_str(), &named) != 0
      || ours.st_ino != named.st_ino || ours.st_dev != named.st_dev)
    return;
  const int fresh = open();
  if (fresh < 0)
    return;
  ::dup2(fresh, fd);
  ::close(fresh);
}

} // namespace novacron
