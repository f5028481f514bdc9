// A library for LD_PRELOAD: each fsync and fdatasync takes as much longer as the file that
// NOVACRON_CHAOS_SYNC names says, in milliseconds. The file may be replaced at any time. Programs
// that the slowed one starts are not slowed.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
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
}
