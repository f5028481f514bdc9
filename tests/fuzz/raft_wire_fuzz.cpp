#include "storage/replication/wire.hpp"

#include <cstdint>
#include <cstdlib>

/// What another replica sends is read within its bounds, and what was read means
/// the same when it is written and read again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace novacron;
  const auto message = decode_envelope(std::as_bytes(std::span{data, size}));
  if (!message)
    return 0;
  const auto bytes = encode(*message);
  const auto again = decode_envelope(bytes);
  if (bytes.size() > size || !again || encode(*again) != bytes)
    std::abort();
  return 0;
}
