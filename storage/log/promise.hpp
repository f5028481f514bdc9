#pragma once

#include "messages/result.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace novacron {

/// What a replica has promised to others: the log's last synced entry, and its
/// term. Kept in a small file beside the database.
///
/// The problem: a WAL that lost its end (a file deleted, restored from an older
/// copy, cut) still reads well, and RocksDB opens with what is left; anything
/// inside the same WAL is lost with it. So the promise lives outside. It is
/// raised after each sync of the log, without a sync of its own: after a power cut
/// it may be too low. It is lowered, and synced, before a truncation: it is never
/// too high.
class promise_file {
public:
  struct promise {
    uint64_t index = 0;
    uint64_t term = 0;
    friend bool operator==(const promise&, const promise&) = default;
  };

  promise_file() = default;
  ~promise_file();
  promise_file(promise_file&&) noexcept;
  promise_file& operator=(promise_file&&) noexcept;

  /// Nothing: there is no such file, or it is torn.
  static std::optional<promise> read(const std::filesystem::path& folder);
  /// Opens or makes the file.
  static result<promise_file> open(const std::filesystem::path& folder);

  /// False: `errno` says why.
  bool write(const promise& made);
  /// What was written is on the disk. False: `errno` says why.
  bool sync();

private:
  int descriptor_ = -1;
};

} // namespace novacron
