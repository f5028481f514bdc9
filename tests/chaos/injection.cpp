#include "injection.hpp"

#include "cut_off_writes.hpp"
#include "fault_targets.hpp"
#include "hypervisor/fencer/fencer.hpp"
#include "hypervisor/fencer/guest_killer.hpp"
#include "hypervisor/fencer/pid_handle.hpp"
#include "hypervisor/simulated/machine.hpp"
#include "memory_press.hpp"
#include "tests/becomes_true.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>

namespace novacron::chaos {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

namespace {

constexpr auto patience = 10s; ///< for a process that is to be killed
constexpr auto look_every = 100ms;

/// The simulated host with the most `ha` guests, looked at from outside.
int most_ha_node(const fault_scene& scene) {
  int most = 0;
  size_t guests = 0;
  for (const int node : lab::hosts)
    if (!scene.where.is_real(node)) {
      const auto here = host_watch{scene.where, scene.book, node}.guests().guests().size();
      if (most == 0 || here > guests) {
        most = node;
        guests = here;
      }
    }
  return most;
}

std::vector<int> targets_of(const fault& what, const fault_scene& scene) {
  if (what.target == fault_target::most_ha)
    return {most_ha_node(scene)};
  return nodes_hit(what.target, scene.eyes.leader(), scene.where.options().real, scene.random);
}

std::string names_of(const std::vector<int>& nodes) {
  if (nodes.size() == lab::nodes)
    return "all nodes";
  std::string all;
  for (const int node : nodes)
    all += (all.empty() ? "" : ", ") + lab::name(node);
  return all;
}

injection impossible(std::string why) {
  injection x;
  x.impossible = std::move(why);
  return x;
}

using process_test = std::function<bool(int)>;

bool lives(const process_test& is_it) {
  return std::ranges::any_of(all_pids(), is_it);
}

/// Kills what `is_it` knows, which may have to come back first; what a process is is
/// looked at while it is held.
injection kill_process(const std::string& name, const process_test& is_it) {
  int killed = 0;
  const auto kill_one = [&] {
    for (const int pid : all_pids())
      if (const auto process = pid_handle::open(pid); process && is_it(pid)) {
        process.signal(SIGKILL);
        static_cast<void>(process.dead(patience));
        killed = pid;
        return true;
      }
    return false;
  };
  if (!becomes_true(patience, kill_one, look_every))
    return impossible(name + " isn't there");
  injection done;
  done.what = name + ", process " + std::to_string(killed);
  done.back = [is_it] { return lives(is_it); };
  return done;
}

bool is_fencer(int pid, const std::filesystem::path& node_state) {
  const auto words = split_proc_list(read_proc(pid, "cmdline"));
  return words.size() > 1 && words[1] == "fencer" && std::ranges::any_of(words, [&](const auto& x) {
           return x.starts_with(node_state.string() + '/');
         });
}

int parent_of(int pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string word; in >> word;)
    if (int parent = 0; word == "PPid:" && in >> parent)
      return parent;
  return 0;
}

bool is_libvirtd(int pid, const std::filesystem::path& node_state) {
  const auto words = split_proc_list(read_proc(pid, "cmdline"));
  return !words.empty() && std::filesystem::path{words[0]}.filename() == "libvirtd"
         && is_fencer(parent_of(pid), node_state);
}

injection kill_qemu(const fault_scene& scene) {
  injection done;
  const auto kill_one = [&] {
    for (const auto& guest : hold_guest_processes())
      if (scene.where.ids().contains(guest.mark.host)) {
        guest.process.signal(SIGKILL);
        done.what = "the QEMU of vm " + to_string(guest.mark.vm);
        return true;
      }
    return false;
  };
  return becomes_true(patience, kill_one, look_every) ? done : impossible("no real guest runs");
}

injection kill_machine(int node, const fault_scene& scene) {
  const auto seen = look_at_machine(machine_of_node(scene.where.state_of(node)));
  if (!seen)
    return impossible(seen.error().message);
  const auto process = pid_handle::open(seen->pid);
  process.signal(SIGKILL);
  injection done;
  done.what
      = "that of " + lab::name(node) + ", with " + std::to_string(seen->guests.size()) + " guests";
  return done;
}

/// Pulls the plug: what runs of the host is killed, and stays down until the end.
injection switch_off(int node, const fault_scene& scene) {
  auto& where = scene.where;
  injection done;
  done.what = lab::name(node);
  where.node(node).hold_down(true);
  done.end = [&where, node] { where.node(node).hold_down(false); };
  where.node(node).signal(SIGKILL);
  // The agent first: it would start the others again.
  if (!becomes_true(patience, [&] { return where.node(node).pid() == 0; })) {
    done.end();
    return impossible(lab::name(node) + " can't be killed");
  }
  const auto state = where.state_of(node);
  for (const int pid : all_pids())
    if (const auto process = pid_handle::open(pid); process && is_fencer(pid, state)) {
      process.signal(SIGKILL);
      static_cast<void>(process.dead(patience));
    }
  static_cast<void>(kill_machine(node, scene)); // whether or not it was there: now it is off
  return done;
}

injection kill_nodes(const std::vector<int>& nodes, const fault_scene& scene) {
  injection done;
  done.what = names_of(nodes);
  for (const int node : nodes)
    if (scene.where.node(node).signal(SIGKILL) == 0 && nodes.size() == 1)
      return impossible(lab::name(node) + " is down already");
  return done;
}

injection freeze(int node, const fault_scene& scene) {
  injection done;
  done.what = lab::name(node);
  if (scene.where.node(node).signal(SIGSTOP) == 0)
    return impossible(done.what + " is down already");
  done.end = [&scene_lab = scene.where, node] { scene_lab.node(node).signal(SIGCONT); };
  return done;
}

injection bad_links(const fault& what, const std::vector<int>& nodes, const fault_scene& scene) {
  injection done;
  done.what = "the links of " + names_of(nodes);
  auto& where = scene.where;
  where.set_links(nodes, what.way, what.condition);
  done.end = [&where, nodes] { where.set_links(nodes, fault_way::both, {}); };
  if (what.flap > 0ms)
    done.tick = [&where, nodes, what, begin = clock::now()] {
      const bool bad = (clock::now() - begin) / what.flap % 2 == 0;
      where.set_links(nodes, what.way, bad ? what.condition : link_condition{});
    };
  return done;
}

/// A leader that is cut off is asked to write until the cut's end.
void ask_to_write(injection& cut, int node, const fault_scene& scene) {
  auto writes = std::make_shared<cut_off_writes>(scene.where, scene.book, node);
  cut.end = [writes, mend = std::move(cut.end)] {
    writes->end();
    mend();
  };
  cut.stopped = [writes] { return writes->tally().stopped(); };
  cut.note = [writes] { return writes->tally().text(); };
  cut.wrong = [writes, node]() -> std::vector<std::string> {
    if (const auto answered = writes->tally().answered(); answered > 0)
      return {lab::name(node) + " acknowledged " + std::to_string(answered)
              + " writes without a majority"};
    return {};
  };
}

std::string text_after(const std::filesystem::path& file, std::uintmax_t offset) {
  std::ifstream in{file, std::ios::binary};
  in.seekg(static_cast<std::streamoff>(offset));
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A node whose disk is full: it has to stop, and to say why.
struct full_disk {
  lab& where;
  int node;
  uintmax_t log_before;
  size_t ends_before;
  clock::time_point since = clock::now();
  std::optional<std::chrono::milliseconds> stopped_after{};

  void look() {
    if (!stopped_after && where.node(node).endings().size() > ends_before)
      stopped_after = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - since);
  }
  [[nodiscard]] bool says_why() const {
    return text_after(where.log_of(node), log_before).find("No space left") != std::string::npos;
  }
  [[nodiscard]] std::string note() const {
    if (!stopped_after)
      return "the node did not stop";
    return "the node ended after " + std::to_string(stopped_after->count()) + " ms with "
           + where.node(node).endings().at(ends_before)
           + (says_why() ? "; its log says why" : "; its log doesn't say why");
  }
  [[nodiscard]] std::vector<std::string> wrong() const {
    if (stopped_after && says_why())
      return {};
    return {note()};
  }
};

injection fill_disk(const fault_scene& scene) {
  auto& where = scene.where;
  if (!where.no_small_disk().empty())
    return impossible(where.no_small_disk());
  const int node = lab::small_disk_node;
  std::error_code none;
  auto disk = std::make_shared<full_disk>(
      full_disk{where, node, std::filesystem::file_size(where.log_of(node), none),
                where.node(node).endings().size()});
  injection done;
  done.what = lab::name(node) + "'s";
  where.fill_small_disk(true);
  done.tick = [disk] { disk->look(); };
  done.end = [&where] { where.fill_small_disk(false); };
  done.note = [disk] { return disk->note(); };
  done.wrong = [disk] { return disk->wrong(); };
  return done;
}

injection slow_disk(const fault& what, int node, const fault_scene& scene) {
  injection done;
  done.what = lab::name(node) + "'s";
  auto& where = scene.where;
  where.slow_down(node, what.sync);
  done.end = [&where, node] { where.slow_down(node, 0ms); };
  return done;
}

injection press_memory(int node, const fault_scene& scene) {
  injection done;
  done.what = "on " + lab::name(node);
  auto press = std::make_shared<memory_press>(scene.where, node);
  done.end = [press] { press->end(); };
  done.note = [press] { return press->text(); };
  done.wrong = [press] { return press->wrong(); };
  return done;
}

injection bring_about(const fault& what, const std::vector<int>& nodes, const fault_scene& scene) {
  const int node = nodes.front(); // of what hits one
  const auto state = scene.where.state_of(node);
  switch (what.deed) {
  case fault_deed::kill_node:
  case fault_deed::kill_cluster:
    return kill_nodes(nodes, scene);
  case fault_deed::kill_machine:
    return kill_machine(node, scene);
  case fault_deed::kill_fencer: {
    auto killed = kill_process("the fencer of " + lab::name(node), [state](int pid) {
      return is_fencer(pid, state) && !is_fencer(parent_of(pid), state); // not a chore of it
    });
    killed.back = [state] { return lives([&](int pid) { return is_libvirtd(pid, state); }); };
    return killed;
  }
  case fault_deed::kill_libvirtd:
    return kill_process("the libvirtd of " + lab::name(node),
                        [state](int pid) { return is_libvirtd(pid, state); });
  case fault_deed::kill_qemu:
    return kill_qemu(scene);
  case fault_deed::host_off:
    return switch_off(node, scene);
  case fault_deed::freeze:
    return freeze(node, scene);
  case fault_deed::links: {
    auto bad = bad_links(what, nodes, scene);
    if (what.target == fault_target::leader && cuts_off(what))
      ask_to_write(bad, node, scene);
    return bad;
  }
  case fault_deed::fill_disk:
    return fill_disk(scene);
  case fault_deed::slow_disk:
    return slow_disk(what, node, scene);
  case fault_deed::press_memory:
    return press_memory(node, scene);
  case fault_deed::kill_actors:
    break;
  }
  return impossible("actors are killed otherwise");
}

} // namespace

injection inject(const fault& what, const fault_scene& scene) {
  auto nodes = targets_of(what, scene);
  if (!displaces_guests(what))
    return bring_about(what, nodes, scene);
  // The fault before may have ended them a moment ago, and the log not know it yet.
  std::shared_ptr<host_watch> watch;
  const auto some_run = [&] {
    nodes = targets_of(what, scene);
    watch = std::make_shared<host_watch>(scene.where, scene.book, nodes.front());
    return !watch->missing().empty();
  };
  if (!becomes_true(patience, some_run, look_every))
    return impossible("no ha guest runs on " + names_of(nodes));
  auto done = bring_about(what, nodes, scene);
  done.what += ", " + std::to_string(watch->guests().guests().size()) + " ha guests";
  done.tick = [watch, off = what.deed == fault_deed::host_off] { watch->look(off); };
  done.watch = std::move(watch);
  return done;
}

} // namespace novacron::chaos
