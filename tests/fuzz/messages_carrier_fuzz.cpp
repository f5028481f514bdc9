#include "messages/carrier.hpp"
#include "tests/unit/messages/random_messages.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <cstdlib>

using namespace novacron;

namespace {

template <class T>
void read_anything(const char* bytes, size_t size) {
  T x;
  caf::binary_deserializer source{nullptr, bytes, size};
  if (auto refused = source(x))
    return;
  std::vector<char> written;
  caf::binary_serializer sink{nullptr, written};
  if (sink(x))
    return; // parts that shared their bytes no longer do, and are too many
  T again;
  caf::binary_deserializer second{nullptr, written};
  if (second(again) || !(again == x))
    std::abort();
}

} // namespace

/// The first byte picks the type, the rest is what another process sent of it
/// through CAF: a length, and the message.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  if (size == 0)
    return 0;
  const size_t chosen = input[0] % std::tuple_size_v<all_carried>;
  size_t i = 0;
  for_each_carried([&](const auto& x) {
    if (i++ == chosen)
      read_anything<std::decay_t<decltype(x)>>(reinterpret_cast<const char*>(input + 1), size - 1);
  });
  return 0;
}
