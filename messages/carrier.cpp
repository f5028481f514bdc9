#include "messages/carrier.hpp"

#include <caf/sec.hpp>
#include <cstdint>

namespace novacron {

caf::error save_encoded(caf::serializer& sink, std::span<const std::byte> bytes) {
  if (bytes.size() > max_encoded_bytes)
    return caf::make_error(caf::sec::invalid_argument,
                           "cannot send a message of " + std::to_string(bytes.size())
                               + " bytes: larger than any may be; send less at once");
  auto size = static_cast<uint32_t>(bytes.size());
  if (auto error = sink(size))
    return error;
  // apply_raw is one function for both directions; a serializer only reads.
  return sink.apply_raw(bytes.size(), const_cast<std::byte*>(bytes.data()));
}

caf::error load_encoded(caf::deserializer& source, std::vector<std::byte>& bytes) {
  uint32_t size = 0;
  if (auto error = source(size))
    return error;
  if (size > max_encoded_bytes)
    return caf::make_error(caf::sec::invalid_argument,
                           "refused a message that announces " + std::to_string(size)
                               + " bytes: larger than any may be; is the sender one of ours?");
  bytes.resize(size);
  return source.apply_raw(bytes.size(), bytes.data());
}

caf::error to_caf_error(const failure& why) {
  return caf::make_error(caf::sec::invalid_argument, why.message);
}

} // namespace novacron
