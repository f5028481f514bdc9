#include "runtime/demo/process_census.hpp"

#include "hypervisor/fencer/fencer.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace novacron {

namespace {

constexpr std::chrono::milliseconds count_every{20};
/// From the log's word that a copy is dropped until its process has left /proc.
constexpr std::chrono::milliseconds dying_takes{500};
constexpr int rest_per_work = 10;      ///< a count may take this part of the thread's time
constexpr uint64_t sockets_every = 10; ///< counts
constexpr auto socket_prefix = std::string_view{"socket:["};

std::set<std::string> tcp_inodes(int pid) {
  std::set<std::string> inodes;
  for (const auto* table : {"tcp", "tcp6"}) {
    std::ifstream in{"/proc/" + std::to_string(pid) + "/net/" + table};
    std::string line;
    std::getline(in, line); // the head
    while (std::getline(in, line)) {
      std::istringstream words{line};
      std::string word;
      for (int column = 0; column < 10 && words >> word; ++column) { // the tenth is the inode
      }
      inodes.insert(word);
    }
  }
  return inodes;
}

} // namespace

uint64_t tcp_sockets_of(int pid) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::set<std::string> own;
  const fs::path folder = "/proc/" + std::to_string(pid) + "/fd";
  for (fs::directory_iterator at{folder, error}, end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    const auto target = fs::read_symlink(at->path(), gone).string();
    if (!gone && target.starts_with(socket_prefix))
      own.insert(target.substr(socket_prefix.size(), target.size() - socket_prefix.size() - 1));
  }
  if (own.empty())
    return 0;
  const auto tcp = tcp_inodes(pid);
  return static_cast<uint64_t>(
      std::count_if(own.begin(), own.end(), [&](const auto& x) { return tcp.contains(x); }));
}

guest_finder find_by_marks(std::set<node_id> hosts) {
  return [hosts = std::move(hosts)] {
    std::vector<counted_guest> found;
    for (const auto& guest : find_guest_processes())
      if (hosts.contains(guest.mark.host))
        found.push_back({guest.mark.vm, guest.pid});
    return found;
  };
}

guest_finder find_in_machines(std::vector<machine_config> machines) {
  return [machines = std::move(machines)] {
    std::vector<counted_guest> found;
    for (const auto& machine : machines)
      if (auto seen = look_at_machine(machine))
        for (const auto& guest : seen->guests)
          found.push_back({guest.vm, seen->pid});
    return found;
  };
}

process_census::process_census(guest_finder find)
    : find_{std::move(find)}, thread_{[this] { run(); }} {
  // nop
}

process_census::~process_census() {
  stopping_ = true;
  thread_.join();
}

census_result process_census::result() const {
  std::lock_guard lock{mutex_};
  return result_;
}

void process_census::run() {
  while (!stopping_) {
    const auto begin = std::chrono::steady_clock::now();
    count();
    const auto work = std::chrono::steady_clock::now() - begin;
    std::this_thread::sleep_for(
        std::max<std::chrono::nanoseconds>(count_every - work, work * rest_per_work));
  }
}

void process_census::count() {
  // A window that opens or closes while we look excuses what we see.
  const bool allowed_before = windows_ > 0;
  const auto found = guests();
  const auto now = std::chrono::steady_clock::now();
  const bool allowed = allowed_before || windows_ > 0;
  std::map<vm_id, uint64_t> each;
  for (const auto& guest : found)
    ++each[guest.vm];
  std::erase_if(doubled_, [&](const auto& seen) { return !each.contains(seen.first); });
  std::lock_guard lock{mutex_};
  ++result_.counts;
  for (const auto& [vm, number] : each) {
    if (number < 2 || allowed)
      doubled_.erase(vm);
    else if (auto& seen = doubled_.try_emplace(vm, sighting{now}).first->second;
             !seen.counted && now - seen.since >= dying_takes) {
      seen.counted = true;
      ++result_.duplicates;
    }
  }
  if (result_.counts % sockets_every == 0)
    for (const auto& guest : found)
      result_.tcp_sockets = std::max(result_.tcp_sockets, tcp_sockets_of(guest.pid));
}

} // namespace novacron
