#pragma once

#include "messages/page_record.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

namespace novacron {

/// A simulated guest's memory: real bytes, all zero at first, and a note of the
/// pages that were written to. A page that is zero takes none of the machine's
/// memory until it is written.
class guest_memory {
public:
  explicit guest_memory(uint64_t pages);

  /// The guest's own store; `offset` and `content` lie within one page.
  void write(uint64_t number, size_t offset, std::span<const std::byte> content);

  /// The pages written since the last call, each once.
  std::vector<uint64_t> take_dirty();
  [[nodiscard]] uint64_t dirty_pages() const { return dirty_count_; }

  [[nodiscard]] uint64_t pages() const { return dirty_.size(); }
  [[nodiscard]] uint64_t size_bytes() const { return pages() * page_size; }
  [[nodiscard]] std::span<const std::byte> page(uint64_t number) const;
  [[nodiscard]] bool is_zero(uint64_t number) const;
  /// What a migration brings; not dirty.
  void store(uint64_t number, std::span<const std::byte> content);
  void clear(uint64_t number);

  /// Of all bytes: equal memories have equal digests, different ones hardly ever.
  /// Hashed by the standard library, which is fast in builds that are not
  /// optimised, too: the guest stands still while it is made.
  [[nodiscard]] uint64_t digest() const;

private:
  struct release {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };

  [[nodiscard]] std::span<std::byte> mutable_page(uint64_t number);

  std::unique_ptr<std::byte[], release> bytes_;
  std::vector<bool> dirty_;
  uint64_t dirty_count_ = 0;
};

} // namespace novacron
