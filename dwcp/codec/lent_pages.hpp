#pragma once

#include "dwcp/codec/page_store.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace novacron {

/// The first half of a page's SHA-256. Whoever finds two pages with one makes a migration
/// fail, by the chain; no page is ever taken for another.
using page_digest = std::array<std::byte, 16>;

page_digest digest_of_page(page_content content);

/// Pages that a destination lends to a session at most: 2 GiB, 8 MiB of digests.
inline constexpr uint64_t max_lent_pages = uint64_t{1} << 19;

/// What a destination has of earlier guests, by number. The decoder reads it.
class page_lender {
public:
  virtual ~page_lender() = default;
  /// False when there is no such page, or it can't be read.
  virtual bool read(uint64_t index, std::span<std::byte, page_size> out) = 0;
};

/// Told of each page that is held from now on, in the order of the stream; on the session's
/// main thread.
using page_watch = std::function<void(page_place, page_content)>;

/// What the source knows of the pages that its destination lends. Pure.
///
/// Memory: 16 bytes for each page, and some 48 for each distinct one.
class lent_index {
public:
  /// The other end lends pages of these digests, from number `first` on. Some may be missing.
  /// False: beyond `max_lent_pages`, and nothing was taken.
  bool put(uint64_t first, std::span<const page_digest> digests);

  /// The number of a page with this content; `likely`, where that is one.
  [[nodiscard]] std::optional<uint64_t> find(page_content content, uint64_t likely) const;

  /// That were said to be lent.
  [[nodiscard]] uint64_t pages() const { return said_; }

private:
  struct first_word {
    size_t operator()(const page_digest& x) const {
      size_t word = 0;
      std::memcpy(&word, x.data(), sizeof word);
      return word;
    }
  };

  uint64_t said_ = 0;
  std::vector<page_digest> digests_; ///< by number; zeros where nothing was said
  std::unordered_map<page_digest, uint32_t, first_word> numbers_;
};

} // namespace novacron
