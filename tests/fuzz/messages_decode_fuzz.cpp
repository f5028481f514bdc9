#include "tests/unit/messages/random_messages.hpp"

#include <cstdlib>

// libFuzzer: the first byte picks the type, the rest is its message. What
// decodes must encode and decode to itself.

using namespace novacron;

namespace {

template <class T>
void read_anything(std::span<const std::byte> bytes) {
  auto x = decode<T>(bytes);
  if (!x)
    return;
  auto written = encode(*x);
  if (written.size() > max_encoded_bytes)
    return; // parts that shared their bytes no longer do
  auto again = decode<T>(written);
  if (!again || !(*again == *x))
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  if (size == 0)
    return 0;
  std::span<const std::byte> bytes{reinterpret_cast<const std::byte*>(input), size};
  size_t chosen = input[0] % std::tuple_size_v<all_carried>;
  size_t i = 0;
  for_each_carried([&](const auto& x) {
    if (i++ == chosen)
      read_anything<std::decay_t<decltype(x)>>(bytes.subspan(1));
  });
  return 0;
}
