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
/// written after each sync and lowered before each truncation, without a sync
/// of its own: it may be too low after a power cut, never too high.
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

private:
  int descriptor_ = -1;
};

} // namespace novacron
