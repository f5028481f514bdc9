#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace novacron {

enum class demo_driver : uint8_t { automatic, libvirt, simulated };

/// What `novacron demo` was asked for.
struct demo_options {
  std::filesystem::path folder = "build/demo";           ///< everything is written below it
  std::filesystem::path configs = "cluster-configs/dev"; ///< node-{1,2,3}.toml
  std::filesystem::path guest;   ///< folder with vmlinuz and initrd.gz; empty: beside our program's
  std::filesystem::path program; ///< this executable
  uint16_t port = 7100;          ///< ports port+1 … port+90 are used
  uint64_t guest_memory_mib = 256;
  std::string guest_arguments; ///< kernel arguments; they come before ours, and win
  demo_driver driver = demo_driver::automatic;
  bool keep = false;
  std::chrono::milliseconds pause_guest{0}; ///< stop the guest for so long
};

/// What is wrong with an option, and what would be right; empty: nothing.
std::string wrong_option(const demo_options& options);

/// Why real guests can't be had; empty when they can.
std::string why_not_libvirt(const demo_options& options);

/// What the demo's guest is told, and what follows from it.
struct guest_plan {
  std::string arguments;        ///< the kernel's
  uint64_t region_mib = 0;      ///< of its memory that it writes to and verifies
  uint64_t ticks_of_a_pass = 0; ///< in which all of it is verified, from wherever it is
};
guest_plan plan_guest(const demo_options& options);

} // namespace novacron
