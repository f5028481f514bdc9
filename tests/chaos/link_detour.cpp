// A library for LD_PRELOAD, which leads a node's connections over links that can be made bad: who
// connects to a port of this machine that NOVACRON_CHAOS_LINKS names, as in "7101=40001
// 7102=40002", comes to the other one instead. So each node's file names the true doors of the
// others, and what a node learns of them from the log leads past no link either. Programs that the
// node starts are left alone.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>

namespace {

std::map<uint16_t, uint16_t>& detours() {
  static std::map<uint16_t, uint16_t> by_port;
  return by_port;
}

__attribute__((constructor)) void begin() {
  if (const char* links = std::getenv("NOVACRON_CHAOS_LINKS")) {
    std::istringstream in{links};
    char equals = 0;
    for (uint16_t door = 0, link = 0; in >> door >> equals >> link;)
      detours()[door] = link;
  }
  ::unsetenv("NOVACRON_CHAOS_LINKS");
  ::unsetenv("LD_PRELOAD");
}

} // namespace

extern "C" int connect(int descriptor, const sockaddr* to, socklen_t length) {
  static auto* real
      = reinterpret_cast<int (*)(int, const sockaddr*, socklen_t)>(::dlsym(RTLD_NEXT, "connect"));
  sockaddr_in door{};
  if (to != nullptr && to->sa_family == AF_INET && length >= sizeof(door)) {
    std::memcpy(&door, to, sizeof(door));
    const auto found = detours().find(ntohs(door.sin_port));
    if (found != detours().end()) {
      door.sin_port = htons(found->second);
      return real(descriptor, reinterpret_cast<const sockaddr*>(&door), sizeof(door));
    }
  }
  return real(descriptor, to, length);
}
