#include "hypervisor/console/console_folder.hpp"

#include "hypervisor/errors.hpp"
#include "messages/descriptor.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <system_error>

namespace novacron {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t disk_block = 512; // what st_blocks counts in, see stat(3type)
constexpr uint64_t hole_alignment = 4'096;

failure cannot(const std::string& what, const fs::path& where, const std::string& why) {
  return make_failure(hypervisor_errc::refused,
                      "cannot " + what + " " + where.string() + ": " + why
                          + "; guests' consoles may fill this host's disk");
}

std::optional<vm_id> vm_of(const fs::path& file) {
  if (file.extension() != ".log")
    return {};
  if (auto id = parse_uuid(file.stem().string()))
    return vm_id{*id};
  return {};
}

result<void> shorten(const fs::path& log, const struct stat& facts, uint64_t newest_bytes) {
  const auto size = static_cast<uint64_t>(facts.st_size);
  // An eighth more, so that not every sweep of a busy console makes a hole.
  if (static_cast<uint64_t>(facts.st_blocks) * disk_block <= newest_bytes + newest_bytes / 8
      || size <= newest_bytes)
    return {};
  const descriptor file{::open(log.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC)};
  const auto hole = (size - newest_bytes) / hole_alignment * hole_alignment;
  if (!file
      || ::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                     static_cast<off_t>(hole))
             != 0)
    return cannot("shorten", log, std::strerror(errno));
  return {};
}

} // namespace

result<void> sweep_consoles(const fs::path& folder, const std::function<bool(vm_id)>& here,
                            const console_bounds& bounds) {
  std::error_code error;
  fs::directory_iterator files{folder, error};
  if (error == std::errc::no_such_file_or_directory)
    return {}; // no guest has been here
  const auto forgotten = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()
                                                              - bounds.forgotten_after);
  result<void> outcome;
  for (; !error && files != fs::directory_iterator{}; files.increment(error)) {
    const auto& log = files->path();
    struct stat facts {};
    const auto vm = vm_of(log);
    if (!vm || ::lstat(log.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
      continue;
    if (!here(*vm) && facts.st_mtime < forgotten)
      ::unlink(log.c_str());
    else if (auto done = shorten(log, facts, bounds.newest_bytes); !done)
      outcome = done;
  }
  if (error)
    return cannot("read", folder, error.message());
  return outcome;
}

} // namespace novacron
