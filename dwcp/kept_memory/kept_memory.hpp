#pragma once

#include "dwcp/kept_memory/kept_files.hpp"
#include "dwcp/kept_memory/lent_memory.hpp"
#include "dwcp/kept_memory/memory_recorder.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace novacron {

/// The pages that one host keeps of guests that left it or came to it, a file each, and the
/// thread that writes them. Safe from any thread.
class kept_memory : public std::enable_shared_from_this<kept_memory> {
public:
  /// What waits for the disk, over all recorders; more is dropped.
  static constexpr size_t queue_bytes = 32u << 20;
  /// A file that is older than this is removed.
  static constexpr std::chrono::hours longest{24};

  /// Files of `bound_bytes` at most, in a folder that only this user reads. Fails when it can't
  /// be had.
  static result<std::shared_ptr<kept_memory>> open(const std::filesystem::path& folder,
                                                   uint64_t bound_bytes);
  kept_memory(const kept_memory&) = delete;
  kept_memory& operator=(const kept_memory&) = delete;
  ~kept_memory();

  /// Begins to keep a guest's pages.
  std::unique_ptr<memory_recorder> record(vm_id guest);
  /// What a guest that comes may need: its own pages first, then those that were kept last.
  /// Null: nothing is kept.
  std::unique_ptr<lent_memory> lend(vm_id guest);
  /// What is kept of it is removed soon.
  void forget(vm_id guest);

  [[nodiscard]] uint64_t bytes() const; ///< on the disk

private:
  friend class memory_recorder;

  explicit kept_memory(kept_files files);
  void put(recorded_pages pages);
  void run();
  void write(recording& into, const recorded_pages& pages);
  void end(recording& x, bool whole);
  void tidy(const std::vector<vm_id>& forgotten);

  mutable std::mutex files_mutex_; ///< for as long as a file takes to be removed
  kept_files files_;

  std::mutex mutex_; ///< guards all below but the thread; for moments only: sessions take it
  std::condition_variable changed_;
  std::deque<recorded_pages> queue_;
  std::vector<vm_id> forgotten_;
  size_t queued_bytes_ = 0;
  bool closing_ = false;
  std::thread thread_;
};

} // namespace novacron
