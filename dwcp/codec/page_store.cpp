#include "dwcp/codec/page_store.hpp"

#include <algorithm>

namespace novacron {

namespace {

constexpr unsigned page_bits = 52;
constexpr uint32_t max_block = (1u << (64 - page_bits)) - 1;
constexpr size_t pages_a_chunk = 256;
/// Pages may share content; so many a slot, at most.
constexpr size_t pages_a_slot = 4;
/// Guests up to 1 TiB are remembered page by page.
constexpr size_t max_sent_bits = 8192;
constexpr uint32_t newcomers_a_place = 32;

/// Blocks that don't fit are not held.
constexpr bool fits(page_place place) {
  return place.block <= max_block && place.page < (uint64_t{1} << page_bits);
}

constexpr uint64_t key_of(page_place place) {
  return uint64_t{place.block} << page_bits | place.page;
}

} // namespace

page_store::page_store(size_t bound_bytes) : capacity_{bound_bytes / page_size} {
  // nop
}

std::span<const std::byte> page_store::find(page_place place) const {
  const auto held = fits(place) ? entries_.find(key_of(place)) : entries_.end();
  if (held == entries_.end())
    return {};
  return {bytes_of(held->second.slot), page_size};
}

void page_store::keep(page_place place, page_content content) {
  if (!fits(place) || capacity_ == 0)
    return;
  const auto page = key_of(place);
  const bool again = note_sent(page);
  if (const auto held = entries_.find(page); held != entries_.end()) {
    if (references_[held->second.slot] == 1) {
      std::ranges::copy(content, bytes_of(held->second.slot));
      touch(held);
      return decided(page, 1);
    }
    drop(held);
  }
  if (!make_room(again))
    return decided(page, 2);
  admit(page, new_slot(content), again);
  decided(page, 3);
}

void page_store::refer(page_place place, page_place source) {
  if (!fits(place))
    return;
  const auto page = key_of(place);
  const bool again = note_sent(page);
  const auto slot = entries_.at(key_of(source)).slot;
  const auto held = entries_.find(page);
  if (held != entries_.end()) {
    ++references_[slot];
    release(held->second.slot);
    held->second.slot = slot;
    touch(held);
    return decided(page, 4);
  }
  if (entries_.size() >= capacity_ * pages_a_slot)
    return decided(page, 5);
  ++references_[slot];
  admit(page, slot, again);
  decided(page, 6);
}

/// Remembers that a page was sent; whether it had been before.
bool page_store::note_sent(key page) {
  constexpr uint64_t each = std::tuple_size_v<sent_bits> * 64;
  auto part = sent_.find(page / each);
  if (part == sent_.end()) {
    if (sent_.size() >= max_sent_bits)
      return false;
    part = sent_.emplace(page / each, std::make_unique<sent_bits>()).first;
  }
  auto& word = (*part->second)[page % each / 64];
  const auto bit = uint64_t{1} << (page % 64);
  const bool before = (word & bit) != 0;
  word |= bit;
  return before;
}

void page_store::admit(key page, uint32_t slot, bool again) {
  auto& list = again ? again_ : once_;
  entries_.emplace(page, entry{slot, again, list.insert(list.end(), page)});
}

/// A page that is sent again was of use.
void page_store::touch(entries::iterator held) {
  auto& x = held->second;
  again_.splice(again_.end(), x.again ? again_ : once_, x.at);
  x.again = true;
}

void page_store::drop(entries::iterator held) {
  const auto x = held->second;
  (x.again ? again_ : once_).erase(x.at);
  entries_.erase(held);
  release(x.slot);
}

void page_store::release(uint32_t slot) {
  if (--references_[slot] == 0)
    free_.push_back(slot);
}

/// Whether there is a slot for a newcomer, if need be in place of others.
bool page_store::make_room(bool again) {
  const auto room = [this] { return held() < capacity_; };
  if (room())
    return true;
  if (!again)
    return false;
  while (!room() && !once_.empty())
    drop(entries_.find(once_.front()));
  if (!room() && ++newcomers_ % newcomers_a_place != 0)
    return false;
  while (!room())
    drop(entries_.find(again_.front()));
  return true;
}

uint32_t page_store::new_slot(page_content content) {
  uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<uint32_t>(references_.size());
    if (slot % pages_a_chunk == 0)
      chunks_.push_back(std::make_unique_for_overwrite<chunk>());
    references_.push_back(1);
  } else {
    slot = free_.back();
    free_.pop_back();
    references_[slot] = 1;
  }
  std::ranges::copy(content, bytes_of(slot));
  return slot;
}

std::byte* page_store::bytes_of(uint32_t slot) const {
  return chunks_[slot / pages_a_chunk]->data() + slot % pages_a_chunk * page_size;
}

void page_store::decided(key page, uint64_t what) {
  // The step of FNV-1a, on words.
  state_ = (state_ ^ (page << 3 | what)) * 0x100000001b3;
}

} // namespace novacron
