#include "dwcp/codec/content_index.hpp"

#include <algorithm>
#include <bit>
#include <xxhash.h>

namespace novacron {

content_index::content_index(size_t pages) : table_(std::bit_ceil(std::max<size_t>(pages / 2, 1))) {
  // nop
}

uint64_t content_index::hash(page_content content) {
  return XXH3_64bits(content.data(), content.size());
}

std::optional<uint64_t> content_index::find(uint64_t hash, uint32_t block, page_content content,
                                            const page_store& store) const {
  for (const auto& x : table_[bucket_of(hash)])
    if (x.hash == hash && x.place.block == block
        && std::ranges::equal(store.find(x.place), content))
      return x.place.page;
  return std::nullopt;
}

void content_index::put(uint64_t hash, page_place place) {
  auto& entries = table_[bucket_of(hash)];
  std::ranges::move_backward(entries.begin(), entries.end() - 1, entries.end());
  entries.front() = {hash, place};
}

} // namespace novacron
