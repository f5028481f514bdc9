#include "hypervisor/fencer/guest_killer.hpp"

#include <cerrno>
#include <csignal>

namespace novacron {

namespace {

bool is_qemu(int pid) {
  auto name = executable_of(pid).filename().native();
  return name.starts_with("qemu-system-") || name == "qemu-kvm";
}

/// It's for our own want that the last call failed, not since the process has gone.
bool starved() {
  return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
}

std::optional<guest_mark> mark_in(const std::string& environment) {
  constexpr std::string_view variable = guest_mark_variable;
  for (std::string_view item : split_proc_list(environment))
    if (item.starts_with(variable) && item.substr(variable.size()).starts_with('='))
      return parse_guest_mark(item.substr(variable.size() + 1));
  return {};
}

} // namespace

std::vector<held_guest> hold_guest_processes(bool* missed) {
  std::vector<held_guest> guests;
  const auto pids = all_pids();
  bool unseen = pids.empty();
  for (auto pid : pids) {
    if (!is_qemu(pid))
      continue;
    auto process = pid_handle::open(pid);
    if (!process) {
      unseen = unseen || starved();
      continue;
    }
    // Only what is read after the process is held is true of it.
    errno = 0;
    auto mark = mark_in(read_proc(pid, "environ"));
    unseen = unseen || starved();
    if (mark && is_qemu(pid))
      guests.push_back({std::move(process), *mark});
  }
  if (missed)
    *missed = unseen;
  return guests;
}

std::vector<guest_process> find_guest_processes() {
  std::vector<guest_process> guests;
  for (const auto& x : hold_guest_processes())
    guests.push_back({x.process.pid(), x.mark});
  return guests;
}

std::vector<guest_process> guest_killer::kill() {
  std::vector<guest_process> met;
  confirm();
  for (auto& x : hold_guest_processes(&missed_)) {
    if (!x.mark.ha || x.mark.host != host_)
      continue;
    x.process.signal(SIGKILL);
    auto pid = x.process.pid();
    if (dying_.try_emplace(pid, std::move(x.process)).second)
      met.push_back({pid, x.mark});
  }
  return met;
}

void guest_killer::confirm() {
  for (auto at = dying_.begin(); at != dying_.end();) {
    if (at->second.dead()) {
      ++killed_;
      at = dying_.erase(at);
    } else {
      ++at;
    }
  }
}

} // namespace novacron
