// A library for LD_PRELOAD, which makes disks worse than they are. Each fsync and fdatasync takes
// as much longer as the file that NOVACRON_CHAOS_SYNC names says, in milliseconds; the file may be
// replaced at any time. And no room can be had in advance, as on file systems without fallocate, so
// that a disk that was filled fails the next write, and not the one that comes when what was
// preallocated is used up. Programs that the slowed one starts are left alone.

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <thread>

namespace {

std::string& control() {
  static std::string path;
  return path;
}

__attribute__((constructor)) void begin() {
  if (const char* path = std::getenv("NOVACRON_CHAOS_SYNC"))
    control() = path;
  ::unsetenv("NOVACRON_CHAOS_SYNC");
  ::unsetenv("LD_PRELOAD");
}

void wait() {
  if (control().empty())
    return;
  std::FILE* file = std::fopen(control().c_str(), "re");
  long ms = 0;
  if (file == nullptr)
    return;
  if (std::fscanf(file, "%ld", &ms) != 1)
    ms = 0;
  std::fclose(file);
  if (ms > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds{ms});
}

int real_sync(const char* name, int descriptor) {
  auto* real = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, name));
  return real(descriptor);
}

} // namespace

extern "C" {

int fsync(int descriptor) {
  wait();
  return real_sync("fsync", descriptor);
}

int fdatasync(int descriptor) {
  wait();
  return real_sync("fdatasync", descriptor);
}

int fallocate(int /*descriptor*/, int /*mode*/, off_t /*offset*/, off_t /*length*/) {
  errno = EOPNOTSUPP;
  return -1;
}

int fallocate64(int /*descriptor*/, int /*mode*/, off64_t /*offset*/, off64_t /*length*/) {
  errno = EOPNOTSUPP;
  return -1;
}
}
