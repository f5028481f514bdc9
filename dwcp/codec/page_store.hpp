#pragma once

#include "messages/page_record.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace novacron {

/// A page of the guest: its RAM block, in the order of first mention, and its
/// number there (offset / page size).
struct page_place {
  uint32_t block = 0;
  uint64_t page = 0;

  friend bool operator==(const page_place&, const page_place&) = default;
};

using page_content = std::span<const std::byte, page_size>;

/// The pages that both ends of a session hold: what the source sends later may
/// refer to them.
///
/// The problem: the two ends must agree on what is held without a word about
/// it. So what is kept, and what makes room for it, follows from the sequence
/// of changes alone; the same calls with the same bound leave equal stores.
/// And since QEMU walks through memory in circles, the page that was used least
/// lately is the one that comes next: dropping it would hit nothing. So pages
/// that were sent once make room, oldest first, for those that were sent again;
/// among these one newcomer in 32 gets the place of the one used least lately,
/// and the rest stays.
///
/// Pure. Memory: `bound_bytes` of content, allocated as it fills, some 5 % more
/// for what is known of it, and 4 KiB for each 128 MiB of guest.
class page_store {
public:
  explicit page_store(size_t bound_bytes);

  /// The version that is held of a page; empty when none is. Good until the
  /// next change.
  [[nodiscard]] std::span<const std::byte> find(page_place place) const;

  /// The page was sent, and is `content` now.
  void keep(page_place place, page_content content);
  /// The page was sent, and is now what is held of `source`, which must be held.
  void refer(page_place place, page_place source);

  /// Of all decisions so far: equal at both ends, or one of them is wrong.
  [[nodiscard]] uint64_t state() const { return state_; }
  /// Pages of content that are held at most, and now.
  [[nodiscard]] size_t capacity() const { return capacity_; }
  [[nodiscard]] size_t held() const { return references_.size() - free_.size(); }

private:
  using key = uint64_t; ///< block and page
  struct entry {
    uint32_t slot = 0;
    bool again = false; ///< in `again_`, else in `once_`
    std::list<key>::iterator at;
  };
  using entries = std::unordered_map<key, entry>;
  using chunk = std::array<std::byte, 256 * page_size>;
  using sent_bits = std::array<uint64_t, 512>;

  bool note_sent(key page);
  void admit(key page, uint32_t slot, bool again);
  void touch(entries::iterator held);
  void drop(entries::iterator held);
  void release(uint32_t slot);
  bool make_room(bool again);
  uint32_t new_slot(page_content content);
  [[nodiscard]] std::byte* bytes_of(uint32_t slot) const;
  void decided(key page, uint64_t what);

  size_t capacity_; ///< slots
  entries entries_;
  std::list<key> once_;  ///< pages that were sent once, oldest first
  std::list<key> again_; ///< pages that were sent again, least lately used first
  std::unordered_map<uint64_t, std::unique_ptr<sent_bits>> sent_;
  std::vector<std::unique_ptr<chunk>> chunks_;
  std::vector<uint32_t> references_; ///< pages that share a slot
  std::vector<uint32_t> free_;
  uint32_t newcomers_ = 0;
  uint64_t state_ = 0;
};

} // namespace novacron
