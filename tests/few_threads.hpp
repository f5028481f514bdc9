#pragma once

#include <csignal>
#include <cstdint>
#include <exception>
#include <fstream>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace novacron::testing {

/// A sanitizer ends a process whose memory is limited.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool threads_can_be_limited = false;
#else
inline constexpr bool threads_can_be_limited = true;
#endif

/// Whether `holds` is true in a child that has memory for so many more threads' stacks, and
/// for little else. False when it throws, or ends the child.
template <class Condition>
bool holds_with_threads(unsigned threads, Condition holds) {
  const auto child = ::fork();
  if (child == 0) {
    ::signal(SIGABRT, SIG_DFL); // the tests' own handler would speak
    // Larger than those of earlier threads, which are kept for later ones.
    constexpr size_t stack_bytes = 64u << 20;
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, stack_bytes);
    ::pthread_setattr_default_np(&attributes);
    uint64_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages;
    const auto most = pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) + threads * stack_bytes
                      + stack_bytes / 2;
    const rlimit limit{most, most};
    ::setrlimit(RLIMIT_AS, &limit);
    try {
      ::_exit(holds() ? 0 : 1);
    } catch (const std::exception&) {
      ::_exit(1);
    }
  }
  int status = -1;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace novacron::testing
