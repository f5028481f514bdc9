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
  std::chrono::milliseconds pause_guest{0}; ///< stop the guest for so long: must turn the demo red
};

} // namespace novacron
