#include "hypervisor/fencer/bounded_log.hpp"

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>

namespace novacron {

bounded_log::bounded_log(const std::filesystem::path& where)
    : path{where.native()}, old{where.native() + ".1"} {}

int bounded_log::open() const {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && facts.st_size > 8 * 1024 * 1024)
    ::rename(path.c_str(), old.c_str());
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

} // namespace novacron
