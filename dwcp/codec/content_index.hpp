#pragma once

#include "dwcp/codec/page_store.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace novacron {

/// Where a page's content may be held already, by its hash. The source's alone.
///
/// A table of a fixed size, four places a hash, that later pages overwrite: what
/// it says is compared with the store byte by byte, so a wrong or forgotten place
/// costs bytes on the wire, never a guest's. Pure.
class content_index {
public:
  /// For a store of so many pages.
  explicit content_index(size_t pages);

  static uint64_t hash(page_content content);

  /// A page of `block` that `store` holds with this content.
  [[nodiscard]] std::optional<uint64_t> find(uint64_t hash, uint32_t block, page_content content,
                                             const page_store& store) const;
  void put(uint64_t hash, page_place place);

private:
  struct entry {
    uint64_t hash = 0;
    page_place place;
  };

  using bucket = std::array<entry, 4>;

  [[nodiscard]] size_t bucket_of(uint64_t hash) const { return hash & (table_.size() - 1); }

  std::vector<bucket> table_; ///< a power of two of them
};

} // namespace novacron
