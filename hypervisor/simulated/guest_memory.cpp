#include "hypervisor/simulated/guest_memory.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>
#include <string_view>

namespace novacron {

guest_memory::guest_memory(uint64_t pages)
    : bytes_{static_cast<std::byte*>(std::calloc(std::max<uint64_t>(pages, 1), page_size))},
      dirty_(pages) {
  if (!bytes_)
    throw std::bad_alloc{};
}

void guest_memory::write(uint64_t number, size_t offset, std::span<const std::byte> content) {
  std::copy(content.begin(), content.end(),
            mutable_page(number).begin() + static_cast<std::ptrdiff_t>(offset));
  dirty_count_ += dirty_[number] ? 0 : 1;
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
  return {bytes_.get() + number * page_size, page_size};
}

std::span<std::byte> guest_memory::mutable_page(uint64_t number) {
  return {bytes_.get() + number * page_size, page_size};
}

bool guest_memory::is_zero(uint64_t number) const {
  const auto* bytes = page(number).data();
  return bytes[0] == std::byte{0} && std::memcmp(bytes, bytes + 1, page_size - 1) == 0;
}

void guest_memory::store(uint64_t number, std::span<const std::byte> content) {
  std::copy(content.begin(), content.end(), mutable_page(number).begin());
}

void guest_memory::clear(uint64_t number) {
  if (!is_zero(number))
    std::memset(mutable_page(number).data(), 0, page_size);
}

uint64_t guest_memory::digest() const {
  uint64_t digest = pages();
  for (uint64_t number = 0; number < pages(); ++number) {
    if (is_zero(number))
      continue;
    const auto* bytes = reinterpret_cast<const char*>(page(number).data());
    digest = (digest ^ number) * 0x100000001B3ULL;
    digest = (digest ^ std::hash<std::string_view>{}({bytes, page_size})) * 0x100000001B3ULL;
  }
  return digest;
}

} // namespace novacron
