#include "runtime/demo/demo_options.hpp"

#include <algorithm>
#include <charconv>
#include <unistd.h>

namespace novacron {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t least_memory_mib = 96;   ///< for a Debian kernel and its initramfs
constexpr uint64_t most_memory_mib = 4'096; ///< what a host has in cluster-configs/dev
constexpr uint64_t kernel_mib = 60;         ///< of a guest's memory, that no region can be
constexpr int highest_port_offset = 90;
constexpr uint64_t smallest_region_mib = 8;
constexpr uint64_t ticks_per_second = 10;
constexpr uint64_t usual_sweep_seconds = 10;
constexpr uint64_t longest_sweep_seconds = 60;
constexpr std::chrono::seconds longest_pause{30};

/// The first number that the arguments give `name`, as the guest reads them.
uint64_t argument(const std::string& arguments, const std::string& name, uint64_t otherwise) {
  const auto at = arguments.find(name);
  if (at == std::string::npos)
    return otherwise;
  uint64_t number = 0;
  std::from_chars(arguments.data() + at + name.size(), arguments.data() + arguments.size(), number);
  return number;
}

uint64_t machine_mib() {
  return static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES))
             * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE))
         >> 20;
}

std::string wrong_memory(const demo_options& options) {
  const auto given = "--guest-memory " + std::to_string(options.guest_memory_mib);
  if (options.guest_memory_mib < least_memory_mib)
    return given + " is too little for a Debian kernel; take 96 or more";
  const auto most = std::min(most_memory_mib, machine_mib() / 2);
  if (options.guest_memory_mib > most)
    return given + " is too much: a host of the demo has " + std::to_string(most_memory_mib)
           + " MiB, and a migration needs the memory twice; take " + std::to_string(most)
           + " or less";
  return {};
}

std::string wrong_arguments(const demo_options& options) {
  if (std::ranges::any_of(options.guest_arguments, [](char c) {
        return c < ' ' || c > '~' || c == '"' || c == '\'' || c == '\\';
      }))
    return "--guest-args must be one line of printable ASCII without quotes and backslashes";
  if (plan_guest(options).arguments.size() > 1'024)
    return "--guest-args are too long; with ours 1024 characters are allowed";
  const auto region = plan_guest(options).region_mib;
  if (region == 0 || region + kernel_mib > options.guest_memory_mib)
    return "--guest-args: a region of " + std::to_string(region) + " MiB doesn't fit into "
           + std::to_string(options.guest_memory_mib) + " MiB; take 1 to "
           + std::to_string(options.guest_memory_mib - kernel_mib) + ", or more --guest-memory";
  const auto sweep = argument(options.guest_arguments, "novacron.sweep=", usual_sweep_seconds);
  if (sweep == 0 || sweep > longest_sweep_seconds)
    return "--guest-args: novacron.sweep must be 1 to " + std::to_string(longest_sweep_seconds)
           + " seconds, since the demo waits for a whole one";
  return {};
}

} // namespace

guest_plan plan_guest(const demo_options& options) {
  guest_plan plan;
  const auto region = std::max(smallest_region_mib, options.guest_memory_mib * 3 / 8);
  plan.arguments = options.guest_arguments + (options.guest_arguments.empty() ? "" : " ")
                   + "console=ttyS0 quiet panic=-1 novacron.region=" + std::to_string(region)
                   + " novacron.dirty=4";
  plan.region_mib = argument(plan.arguments, "novacron.region=", region);
  const auto sweep = argument(plan.arguments, "novacron.sweep=", usual_sweep_seconds);
  plan.ticks_of_a_pass = sweep * ticks_per_second + ticks_per_second / 2;
  return plan;
}

std::string wrong_option(const demo_options& options) {
  if (options.folder.empty())
    return "--folder is empty; name a folder that may be emptied";
  if (options.port < 1'024 || options.port + highest_port_offset > 65'535)
    return "--port " + std::to_string(options.port) + " is out of range; take 1024 to 65445";
  if (options.pause_guest < std::chrono::milliseconds{0} || options.pause_guest > longest_pause)
    return "--pause-guest is out of range; take at most 30000 ms";
  for (const auto* name : {"node-1.toml", "node-2.toml", "node-3.toml"})
    if (!fs::exists(options.configs / name))
      return (options.configs / name).string() + " is missing; give --configs";
  if (auto wrong = wrong_memory(options); !wrong.empty())
    return wrong;
  return wrong_arguments(options);
}

std::string why_not_libvirt(const demo_options& options) {
  for (const auto* program : {"/usr/sbin/libvirtd", "/usr/bin/qemu-system-x86_64"})
    if (!fs::exists(program))
      return std::string{program} + " is missing; run .ci/install";
  for (const auto* file : {"vmlinuz", "initrd.gz"})
    if (!fs::exists(options.guest / file))
      return (options.guest / file).string() + " is missing; build the target guest_image";
  return {};
}

} // namespace novacron
