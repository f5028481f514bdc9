#include "tests/power_cut/power_cut.hpp"

#include "messages/descriptor.hpp"

#include <atomic>
#include <cerrno>
#include <dlfcn.h>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <utility>

namespace novacron {

namespace fs = std::filesystem;

namespace {

std::atomic<power_cut::disk*> watched{nullptr};

fs::path path_of(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

std::string content_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Nothing: it has gone meanwhile.
std::optional<ino_t> number_of(const fs::path& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0)
    return std::nullopt;
  return facts.st_ino;
}

} // namespace

/// Files and folders by their inode, as they are on the disk.
struct power_cut::disk {
  struct entry {
    descriptor pin; ///< so that its number isn't given to another one
    std::string content;
    std::string before;                 ///< the last pwrite(2), if that isn't synced; else the same
    std::map<std::string, ino_t> names; ///< a folder's
  };

  explicit disk(const fs::path& folder) : root{fs::canonical(folder)} {
    keep_folder(root);
    for (const auto& each : fs::recursive_directory_iterator{root})
      each.is_directory() ? keep_folder(each.path()) : keep_file(each.path());
  }

  entry& entry_of(const fs::path& path) {
    auto& known = entries[number_of(path).value()];
    if (!known.pin)
      known.pin = descriptor{::open(path.c_str(), O_PATH | O_CLOEXEC)};
    return known;
  }

  void keep_file(const fs::path& file) {
    auto& known = entry_of(file);
    known.content = known.before = content_of(file);
  }

  void keep_folder(const fs::path& folder) {
    auto& names = entry_of(folder).names;
    names.clear();
    for (const auto& each : fs::directory_iterator{folder})
      if (const auto number = number_of(each.path()))
        names[each.path().filename()] = *number;
  }

  /// What `fd` is open for, if that is below the root and has a name still.
  fs::path ours(int fd) const {
    std::error_code ignored;
    auto path = fs::read_symlink(path_of(fd), ignored);
    const bool below = path == root || path.native().starts_with(root.native() + "/");
    return below && fs::exists(path, ignored) ? path : fs::path{};
  }

  void synced(int fd) {
    const auto path = ours(fd);
    if (path.empty())
      return;
    const std::lock_guard lock{mutex};
    fs::is_directory(path) ? keep_folder(path) : keep_file(path);
    if (look)
      look();
  }

  void promised(int fd) {
    const auto path = ours(fd);
    if (path.empty())
      return;
    const std::lock_guard lock{mutex};
    auto& known = entry_of(path);
    known.before = std::exchange(known.content, content_of(path));
    entry_of(path.parent_path()).names[path.filename()] = number_of(path).value();
    if (look)
      look();
  }

  void copy(ino_t folder, const fs::path& to, overwritten what) const {
    fs::create_directory(to);
    const auto known = entries.find(folder);
    if (known == entries.end())
      return;
    for (const auto& [name, number] : known->second.names) {
      const auto found = entries.find(number);
      struct stat facts {};
      if (found == entries.end())
        std::ofstream{to / name}; // its name was synced, nothing in it was
      else if (::fstat(found->second.pin.get(), &facts) == 0 && S_ISDIR(facts.st_mode))
        copy(number, to / name, what);
      else
        std::ofstream{to / name, std::ios::binary}
            << (what == overwritten::before ? found->second.before : found->second.content);
    }
  }

  const fs::path root;
  std::map<ino_t, entry> entries;
  std::function<void()> look;
  std::atomic<bool> full{false};
  std::recursive_mutex mutex; ///< `look` may ask what survives
};

power_cut::power_cut(const fs::path& root) : disk_{std::make_unique<disk>(root)} {
  watched = disk_.get();
}

power_cut::~power_cut() {
  auto* mine = disk_.get();
  watched.compare_exchange_strong(mine, nullptr); // unless another one has begun
}

void power_cut::survivors(const fs::path& to, overwritten what) const {
  const std::lock_guard lock{disk_->mutex};
  disk_->copy(number_of(disk_->root).value(), to, what);
}

void power_cut::after_each(std::function<void()> look) {
  const std::lock_guard lock{disk_->mutex};
  disk_->look = std::move(look);
}

void power_cut::fill_up() {
  disk_->full = true;
}

namespace {

template <class Call>
Call* next_of(const char* name) {
  return reinterpret_cast<Call*>(::dlsym(RTLD_NEXT, name));
}

int sync_and_note(const char* name, int fd) {
  if (auto* disk = watched.load(); disk && disk->full && !disk->ours(fd).empty()) {
    errno = ENOSPC;
    return -1;
  }
  const auto done = next_of<int(int)>(name)(fd);
  if (auto* disk = watched.load(); disk && done == 0)
    disk->synced(fd);
  return done;
}

} // namespace

} // namespace novacron

// The test binary's own come before the C library's.
extern "C" {

int fsync(int fd) {
  return novacron::sync_and_note("fsync", fd);
}

int fdatasync(int fd) {
  return novacron::sync_and_note("fdatasync", fd);
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  const auto done = novacron::next_of<ssize_t(int, const void*, size_t, off_t)>("pwrite")(
      fd, bytes, count, offset);
  if (auto* disk = novacron::watched.load(); disk && done >= 0)
    disk->promised(fd);
  return done;
}
}
