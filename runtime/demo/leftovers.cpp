#include "runtime/demo/leftovers.hpp"

#include "actors/peer/identity.hpp"
#include "hypervisor/fencer/fencer.hpp"
#include "messages/descriptor.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/errors.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>
#include <poll.h>
#include <sstream>
#include <sys/syscall.h>

namespace novacron {

namespace fs = std::filesystem;

namespace {

constexpr auto marker = "novacron-demo"; ///< a file that tells our folders from others
constexpr int asked_limit_ms = 8'000;
constexpr int killed_limit_ms = 3'000;

std::vector<std::string> command_line(int pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary};
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, '\0');)
    words.push_back(word);
  return words;
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto relative = path.lexically_normal().lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

/// "fencer" or "node" when the process is one of ours that belongs to `folder`.
std::string kind_of(int pid, const fs::path& folder) {
  const auto words = command_line(pid);
  const auto value_of = [&](std::string_view option) -> fs::path {
    const auto at = std::find(words.begin(), words.end(), option);
    return at == words.end() || at + 1 == words.end() ? fs::path{} : fs::path{*(at + 1)};
  };
  if (words.size() < 2 || fs::path{words[0]}.filename() != "novacron")
    return {};
  if (words[1] == "fencer" && is_below(value_of("--state"), folder))
    return words[1];
  if (words[1] == "node" && value_of("--folder").lexically_normal() == folder)
    return words[1];
  return {};
}

/// Signals and waits through a pid descriptor; `check` is asked once the pid can
/// no longer become another process.
template <class Check>
bool end_process(int pid, int signal, int limit_ms, Check&& check) {
  descriptor handle{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  if (!handle || !check())
    return false;
  ::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0U);
  pollfd ended{handle.get(), POLLIN, 0};
  if (::poll(&ended, 1, limit_ms) != 1 && signal != SIGKILL) {
    ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0U);
    ::poll(&ended, 1, killed_limit_ms);
  }
  return true;
}

std::vector<int> all_pids() {
  std::vector<int> pids;
  std::error_code error;
  for (fs::directory_iterator at{"/proc", error}, end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (std::all_of(name.begin(), name.end(), [](unsigned char c) { return c >= '0' && c <= '9'; }))
      pids.push_back(std::stoi(name));
  }
  return pids;
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
  // Nodes first: they would start fencers; guests last: fencers would not.
  for (const std::string kind : {"node", "fencer"})
    for (const auto pid : all_pids())
      if (kind_of(pid, folder) == kind && end_process(pid, SIGTERM, asked_limit_ms, [&] {
            return kind_of(pid, folder) == kind;
          }))
        ended.push_back(kind);
  for (const auto& guest : find_guest_processes())
    if (hosts.contains(guest.mark.host) && end_process(guest.pid, SIGKILL, killed_limit_ms, [&] {
          const auto now = find_guest_processes();
          return std::any_of(now.begin(), now.end(), [&](const guest_process& x) {
            return x.pid == guest.pid && x.mark.vm == guest.mark.vm;
          });
        }))
      ended.push_back("guest of vm " + to_string(guest.mark.vm));
  return ended;
}

result<void> make_demo_folder(const fs::path& folder) {
  std::error_code error;
  const bool there = fs::exists(folder, error);
  if (there && !fs::exists(folder / marker, error) && !fs::is_empty(folder, error))
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
  if (error || !fs::exists(folder / marker))
    return make_failure(runtime_errc::folder, "cannot make " + folder.string() + ": "
                                                  + (error ? error.message() : "not writable")
                                                  + "; choose another --folder");
  return {};
}

} // namespace novacron
