#include "dwcp/session/return_gate.hpp"

#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"

#include <algorithm>

namespace novacron {

void return_gate::push(std::span<const std::byte> bytes) {
  held_.insert(held_.end(), bytes.begin(), bytes.end());
  if (!shut_value_)
    advance();
}

void return_gate::open() {
  ready_.insert(ready_.end(), held_.begin(), held_.end());
  held_.clear();
}

void return_gate::passed(size_t count) {
  ready_.erase(ready_.begin(), ready_.begin() + static_cast<ptrdiff_t>(count));
}

void return_gate::advance() {
  size_t at = 0;
  for (;;) {
    const auto some = std::min(skip_, held_.size() - at);
    at += some;
    skip_ -= some;
    const auto x = std::span<const std::byte>{held_}.subspan(at);
    if (skip_ > 0 || x.size() < qemu_stream::return_header_bytes)
      break;
    const size_t length = get_big_endian<uint16_t>(x.subspan(2));
    if (get_big_endian<uint16_t>(x) != qemu_stream::return_shut) {
      skip_ = qemu_stream::return_header_bytes + length;
      continue;
    }
    if (x.size() < qemu_stream::return_header_bytes + length)
      break;
    // A form that isn't known is no promise of success.
    shut_value_ = length == sizeof(uint32_t)
                      ? get_big_endian<uint32_t>(x.subspan(qemu_stream::return_header_bytes))
                      : 1;
    if (*shut_value_ != 0)
      at = held_.size();
    break;
  }
  ready_.insert(ready_.end(), held_.begin(), held_.begin() + static_cast<ptrdiff_t>(at));
  held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(at));
}

} // namespace novacron
