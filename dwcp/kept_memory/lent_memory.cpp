#include "dwcp/kept_memory/lent_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace novacron {

void lent_memory::add(descriptor file, uint64_t pages) {
  pages = std::min(pages, max_lent_pages - pages_);
  if (pages == 0)
    return;
  pieces_.push_back({pages_, pages, std::move(file)});
  pages_ += pages;
}

bool lent_memory::read(uint64_t index, std::span<std::byte, page_size> out) {
  return read_some(index, out) == 1;
}

uint64_t lent_memory::read_some(uint64_t first, std::span<std::byte> out) const {
  const auto after = std::ranges::upper_bound(pieces_, first, {}, &piece::first);
  if (after == pieces_.begin())
    return 0;
  const auto& from = *std::prev(after);
  const auto at = first - from.first;
  if (at >= from.pages)
    return 0;
  const auto wanted = std::min<uint64_t>(from.pages - at, out.size() / page_size) * page_size;
  size_t got = 0;
  while (got < wanted) {
    const auto count = ::pread(from.file.get(), out.data() + got, wanted - got,
                               static_cast<off_t>(at * page_size + got));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      break;
    got += static_cast<size_t>(count);
  }
  return got / page_size;
}

} // namespace novacron
