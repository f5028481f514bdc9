#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace novacron {

/// Knows what of a folder would be there after a power cut.
///
/// The problem: a process that is killed loses nothing that it has written, for the
/// kernel keeps it; so no such test notices a sync that is missing. Here fsync(2) and
/// fdatasync(2) of the whole test binary, RocksDB's included, note what they were called
/// for, and anything else is forgotten: bytes behind a file's last sync, and names behind
/// their folder's. The worst that POSIX allows, with one exception: what is written by
/// pwrite(2), as `PROMISED` is, may be there at once, name and bytes, since that is the worst
/// that a promise can do as it rises. The worst that it can do as it is lowered is to be
/// what it was before; so there are two worsts.
///
/// One at a time. Its calls are safe from any thread.
class power_cut {
public:
  /// All that is below `root` is on the disk already.
  explicit power_cut(const std::filesystem::path& root);
  ~power_cut();
  power_cut(const power_cut&) = delete;
  power_cut& operator=(const power_cut&) = delete;

  /// What is left of a file that was written to by pwrite(2) since its last sync.
  enum class overwritten : uint8_t {
    as_written, ///< all of it
    before,     ///< what it held before the last of these
  };
  /// Makes the folder `to`, outside of `root`, and copies there what a power cut would
  /// leave of `root` now.
  void survivors(const std::filesystem::path& to, overwritten what = overwritten::as_written) const;

  /// Calls `look` after each sync and promise, on the thread that made it; other threads'
  /// syncs below `root` wait for its end.
  void after_each(std::function<void()> look);

  /// From now on each sync below `root` fails for want of room (ENOSPC), as where room is
  /// looked for only when bytes go to the disk.
  void fill_up();

  struct disk;

private:
  std::unique_ptr<disk> disk_;
};

} // namespace novacron
