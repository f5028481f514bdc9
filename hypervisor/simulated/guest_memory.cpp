#include "hypervisor/simulated/guest_memory.hpp"

#include <algorithm>
#include <cstring>

namespace novacron {

namespace {

constexpr uint64_t written_part = 4; ///< one page of so many is ever written
constexpr size_t line_bytes = 64;

/// The finisher of splitmix64 (Steele, Lea, Flood 2014).
uint64_t mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
  return x ^ x >> 31;
}

} // namespace

guest_memory::guest_memory(uint64_t pages) : bytes_(pages * page_size), dirty_(pages) {}

void guest_memory::boot(uint64_t seed) {
  seed_ = seed;
  for (uint64_t i = 0; i < std::max<uint64_t>(pages() / written_part, 1); ++i)
    fill(i * written_part % pages());
  take_dirty();
}

void guest_memory::write(uint64_t count) {
  for (uint64_t i = 0; i < std::min(count, pages()); ++i)
    fill(++written_ * written_part % pages());
}

/// One word of noise in each line: compressible, as guests' memory is.
void guest_memory::fill(uint64_t number) {
  auto out = mutable_page(number);
  uint64_t state = seed_ ^ number << 32 ^ written_;
  for (size_t at = 0; at < page_size; at += line_bytes) {
    uint64_t noise = mix(state += 0x9E3779B97F4A7C15ULL);
    std::memset(out.data() + at, 0x5A, line_bytes);
    std::memcpy(out.data() + at, &noise, sizeof noise);
  }
  dirty_count_ += !dirty_[number];
  dirty_[number] = true;
}

std::vector<uint64_t> guest_memory::take_dirty() {
  std::vector<uint64_t> out;
  for (uint64_t i = 0; i < pages(); ++i)
    if (dirty_[i])
      out.push_back(i);
  dirty_.assign(pages(), false);
  dirty_count_ = 0;
  return out;
}

std::span<const std::byte> guest_memory::page(uint64_t number) const {
  return std::span{bytes_}.subspan(number * page_size, page_size);
}

std::span<std::byte> guest_memory::mutable_page(uint64_t number) {
  return std::span{bytes_}.subspan(number * page_size, page_size);
}

bool guest_memory::is_zero(uint64_t number) const {
  auto content = page(number);
  return std::all_of(content.begin(), content.end(), [](std::byte b) { return b == std::byte{0}; });
}

void guest_memory::store(uint64_t number, std::span<const std::byte> content) {
  std::copy(content.begin(), content.end(), mutable_page(number).begin());
}

void guest_memory::clear(uint64_t number) {
  auto out = mutable_page(number);
  std::fill(out.begin(), out.end(), std::byte{0});
}

uint64_t guest_memory::digest() const {
  uint64_t digest = 0xCBF29CE484222325ULL;
  for (size_t at = 0; at < bytes_.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes_.data() + at, sizeof word);
    digest = (digest ^ word) * 0x100000001B3ULL;
  }
  return digest;
}

} // namespace novacron
