#include "runtime/demo/leftovers.hpp"

#include "actors/peer/identity.hpp"
#include "hypervisor/fencer/guest_killer.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/errors.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>

namespace novacron {

namespace fs = std::filesystem;

namespace {

constexpr auto marker = "novacron-demo"; ///< a file that tells our folders from others
constexpr std::chrono::seconds asked_limit{8};
constexpr std::chrono::seconds killed_limit{3};

/// "node", "fencer" or "simulated-machine" when the process belongs to `folder`.
std::string kind_of(int pid, const fs::path& folder) {
  const auto words = split_proc_list(read_proc(pid, "cmdline"));
  const auto path_after = [&](std::string_view option) -> fs::path {
    const auto at = std::find(words.begin(), words.end(), option);
    return at == words.end() || at + 1 == words.end() ? fs::path{}
                                                      : fs::path{*(at + 1)}.lexically_normal();
  };
  if (words.size() < 2 || fs::path{words[0]}.filename() != "novacron")
    return {};
  const bool ours = words[1] == "node"
                        ? path_after("--folder") == folder
                        : (words[1] == "fencer" || words[1] == "simulated-machine")
                              && path_after("--state").parent_path().parent_path() == folder;
  return ours ? words[1] : std::string{};
}

void kill_process(const pid_handle& process) {
  process.signal(SIGKILL);
  static_cast<void>(process.dead(killed_limit)); // one that hangs in a disk is nobody's to end
}

/// Asks, and kills what doesn't end.
void end_process(const pid_handle& process) {
  if (process.signal(SIGTERM) && !process.dead(asked_limit))
    kill_process(process);
}

} // namespace

std::set<node_id> nodes_of_cluster(const fs::path& folder) {
  std::set<node_id> nodes;
  std::error_code error;
  for (fs::directory_iterator at{folder, error}, end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".pem")
      continue;
    if (auto text = read_small_file(at->path(), "a certificate"))
      if (auto identity = identity_of(*text))
        nodes.insert(identity->node);
  }
  return nodes;
}

std::vector<std::string> end_leftovers(const fs::path& folder, const std::set<node_id>& hosts) {
  std::vector<std::string> ended;
  // Nodes first: they would start the others; guests last: fencers would not.
  for (const std::string kind : {"node", "fencer", "simulated-machine"})
    for (const auto pid : all_pids())
      // What is read after the process is held is true of it.
      if (const auto process = pid_handle::open(pid); process && kind_of(pid, folder) == kind) {
        end_process(process);
        ended.push_back(kind);
      }
  for (const auto& guest : hold_guest_processes())
    if (hosts.contains(guest.mark.host)) {
      kill_process(guest.process);
      ended.push_back("guest of vm " + to_string(guest.mark.vm));
    }
  return ended;
}

bool is_demo_folder(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / marker, error);
}

result<void> make_demo_folder(const fs::path& folder) {
  std::error_code error;
  const bool there = fs::exists(folder, error);
  if (there && !is_demo_folder(folder) && !fs::is_empty(folder, error))
    return make_failure(runtime_errc::folder, folder.string()
                                                  + " holds something that no demo made; choose "
                                                    "another --folder");
  if (there)
    fs::remove_all(folder, error);
  if (!error)
    fs::create_directories(folder, error);
  if (!error)
    fs::permissions(folder, fs::perms{0755}, error);
  std::ofstream{folder / marker} << "made by `novacron demo`, which removes this folder at its "
                                    "next run\n";
  if (error || !is_demo_folder(folder))
    return make_failure(runtime_errc::folder, "cannot make " + folder.string() + ": "
                                                  + (error ? error.message() : "not writable")
                                                  + "; choose another --folder");
  return {};
}

} // namespace novacron
