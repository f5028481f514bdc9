#pragma once

#include "messages/page_record.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace novacron {

/// A simulated guest's memory: real bytes, a quarter of them written to when it
/// is made, the rest zero, and written to page by page while the guest runs.
class guest_memory {
public:
  /// Empty: all zero, nothing dirty.
  explicit guest_memory(uint64_t pages);

  /// Fills a quarter of the pages with content that follows from `seed`.
  void boot(uint64_t seed);
  /// The guest writes to its next `count` pages.
  void write(uint64_t count);

  /// The pages written since the last call, each once.
  std::vector<uint64_t> take_dirty();
  [[nodiscard]] uint64_t dirty_pages() const { return dirty_count_; }

  [[nodiscard]] uint64_t pages() const { return bytes_.size() / page_size; }
  [[nodiscard]] uint64_t size_bytes() const { return bytes_.size(); }
  [[nodiscard]] std::span<const std::byte> page(uint64_t number) const;
  [[nodiscard]] bool is_zero(uint64_t number) const;
  void store(uint64_t number, std::span<const std::byte> content);
  void clear(uint64_t number);

  /// Of all bytes (FNV-1a by 64-bit words): equal memories have equal digests.
  [[nodiscard]] uint64_t digest() const;

private:
  std::span<std::byte> mutable_page(uint64_t number);
  void fill(uint64_t number);

  std::vector<std::byte> bytes_;
  std::vector<bool> dirty_;
  uint64_t dirty_count_ = 0;
  uint64_t seed_ = 0;
  uint64_t written_ = 0;
};

} // namespace novacron
