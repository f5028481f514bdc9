#pragma once

#include "dwcp/errors.hpp"
#include "messages/ids.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace novacron {

/// The files of a folder of kept memory: one for each guest, within a bound of bytes that
/// counts what is being written, too. The oldest makes room first. One thread at a time.
class kept_files {
public:
  using file_time = std::filesystem::file_time_type;
  struct kept_file {
    vm_id guest;
    uint64_t bytes = 0;
    file_time since;
  };

  /// Takes what an earlier process left, and removes what it didn't end.
  static result<kept_files> open(std::filesystem::path folder, uint64_t bound_bytes);

  [[nodiscard]] std::filesystem::path path_of(vm_id guest) const;
  /// Where the next file is written to, until it is put.
  [[nodiscard]] std::filesystem::path next_part();

  /// Room for so many more bytes of a file that is being written; others go for it. False: there
  /// is none, even so.
  bool claim(uint64_t bytes);
  /// A file that was claimed isn't put.
  void give_up(const std::filesystem::path& part, uint64_t bytes);
  /// It becomes the guest's file, in the place of an earlier one. On a failure it is given up.
  bool put(vm_id guest, const std::filesystem::path& part, uint64_t bytes);

  /// 0: nothing is kept of it.
  [[nodiscard]] uint64_t bytes_of(vm_id guest) const;
  /// Of `guest` first, then the newest.
  [[nodiscard]] std::vector<kept_file> in_order_for(vm_id guest) const;
  void remove(vm_id guest);
  void remove_older_than(file_time limit);

  [[nodiscard]] uint64_t bytes() const { return bytes_; }

private:
  kept_files(std::filesystem::path folder, uint64_t bound_bytes);

  std::filesystem::path folder_;
  uint64_t bound_;
  uint64_t bytes_ = 0;           ///< of `files_`, and of what is being written
  uint64_t parts_ = 0;           ///< so far
  std::vector<kept_file> files_; ///< oldest first
};

} // namespace novacron
