#pragma once

#include "link_proxy.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace novacron::chaos {

/// How a fault is brought about.
enum class fault_deed : uint8_t {
  kill_actors,
  kill_node,
  kill_machine,
  kill_fencer,
  kill_libvirtd,
  kill_qemu,
  kill_cluster,
  host_off,
  freeze,
  links,
  fill_disk,
  slow_disk,
  press_memory,
};

/// To whom; nodes are chosen when it happens.
enum class fault_target : uint8_t {
  any,
  leader,
  follower,
  controller,  ///< one of them
  controllers, ///< all of them
  gateway,
  real,      ///< the host with the real guests; any host, if there are none
  simulated, ///< a host with simulated ones
  most_ha,   ///< the simulated host with the most `ha` guests
  small_disk,
  all
};

/// Which way a link is worse: seen from the target.
enum class fault_way : uint8_t { both, in, out };

/// From when on the cluster has got over it.
enum class recovery_sign : uint8_t {
  writes,  ///< a write that was sent after the fault is acknowledged
  whole,   ///< after the fault's end: gateways answer, all members and hosts are there
  settled, ///< that, and all VMs are again what they are to be
  /// None of the host's `ha` guests is seen on it any more. It goes on until they run elsewhere,
  /// too, where they can.
  fenced,
  returned,  ///< the actor that was killed runs again, as its node's tree shows
  elsewhere, ///< they are seen to run on other hosts; it goes on until then
};

/// One table of faults.toml.
struct fault {
  std::string name;
  fault_deed deed = fault_deed::kill_node;
  fault_target target = fault_target::any;
  recovery_sign recovered = recovery_sign::whole;
  std::chrono::milliseconds lasts{0};
  std::chrono::milliseconds short_lasts{0};
  std::chrono::milliseconds within{0}; ///< design.md's limit; 0: it has none
  unsigned runs = 1;
  unsigned count = 1; ///< kills of a run
  unsigned short_count = 1;
  bool real = false; ///< needs real guests
  fault_way way = fault_way::both;
  link_condition condition;
  std::chrono::milliseconds flap{0}; ///< comes and goes with this half period; 0: it stays
  std::chrono::milliseconds sync{0}; ///< what a slow disk adds to each
};

/// Nothing passes, neither way, as long as it lasts.
inline bool cuts_off(const fault& x) {
  return x.deed == fault_deed::links && x.condition.held && x.way == fault_way::both
         && x.flap.count() == 0;
}

/// It goes on until it is seen what became of a host's `ha` guests.
inline bool displaces_guests(const fault& x) {
  return x.recovered == recovery_sign::fenced || x.recovered == recovery_sign::elsewhere;
}

/// Reads faults.toml. Throws std::runtime_error with the file and what is wrong.
std::vector<fault> read_faults(const std::filesystem::path& file);
std::vector<fault> parse_faults(std::string_view text, const std::string& source);

/// How much of it.
struct plan_size {
  bool short_form = false; ///< each fault once
  bool real = false;       ///< there are real guests
};

/// The faults, one after the other: each of them at least once, in an order that
/// the seed gives alone; what can't be had is left out.
std::vector<fault> in_order(const std::vector<fault>& all, const plan_size& size,
                            std::mt19937_64& random);

/// Two faults that come about at once.
struct fault_pair {
  fault host;       ///< takes a host away, until its guests run elsewhere
  fault controller; ///< kills a controller, and touches no other host
};

/// The pairs of a host that dies for good and a controller that is killed: in the whole form each
/// twice, in the short one a single pair, in an order that the seed gives alone.
///
/// What displaces guests is mixed with nothing else: its guests must find another host, and
/// others' faults hit hosts or last for a time of their own.
std::vector<fault_pair> host_and_controller(const std::vector<fault>& all, const plan_size& size,
                                            std::mt19937_64& random);

/// How long this run of it lasts.
std::chrono::milliseconds duration(const fault& x, const plan_size& size);

} // namespace novacron::chaos
