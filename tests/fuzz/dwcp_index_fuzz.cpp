#include "dwcp/codec/content_index.hpp"
#include "dwcp/codec/page_store.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>

namespace {

using namespace novacron;

constexpr size_t bytes_a_step = 4;

/// What the index names is held, with this content: whatever it was told, and however many
/// contents share a hash.
void check(const std::optional<uint64_t>& found, uint32_t block, page_content content,
           const page_store& store) {
  if (found && !std::ranges::equal(store.find({block, *found}), content))
    std::abort();
}

} // namespace

/// The two ends' stores stay equal, within their bound, and the index names only what is held.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  const size_t pages = data[0] % 32;
  page_store source{pages * page_size};
  page_store destination{pages * page_size};
  content_index index{pages};
  for (auto rest = std::span{data + 1, size - 1}; rest.size() >= bytes_a_step;) {
    const auto step = rest.first(bytes_a_step);
    rest = rest.subspan(bytes_a_step);
    const page_place place{step[0] == 0xff ? UINT32_MAX : step[0] % 3u,
                           step[1] == 0xff ? UINT64_MAX : step[1] % 64u};
    std::array<std::byte, page_size> page;
    page.fill(static_cast<std::byte>(step[2]));
    const page_content content{page};
    const uint64_t hash = step[3] % 2 != 0 ? content_index::hash(content) : step[3] % 8;
    const auto found = index.find(hash, place.block, content, source);
    check(found, place.block, content, source);
    if (found) {
      source.refer(place, {place.block, *found});
      destination.refer(place, {place.block, *found});
    } else {
      source.keep(place, content);
      destination.keep(place, content);
    }
    index.put(hash, place); // held or not
    if (source.state() != destination.state() || source.held() > source.capacity()
        || !std::ranges::equal(source.find(place), destination.find(place)))
      std::abort();
    // What is held of a page is what it was sent as.
    if (const auto held = source.find(place); !held.empty() && !std::ranges::equal(held, content))
      std::abort();
  }
  return 0;
}
