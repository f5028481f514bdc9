#pragma once

#include "messages/codec.hpp"
#include "messages/summary.hpp"

#include <caf/deserializer.hpp>
#include <caf/error.hpp>
#include <caf/serializer.hpp>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace novacron {

// How the messages of `carried` travel through CAF. Inside a process they are
// plain structs: nothing is encoded. Between processes they are their length (32
// bits) and their Cap'n Proto bytes, the same as on disk.

/// Writes the length of an encoded message and its bytes.
/// Fails with `sec::invalid_argument` beyond `max_encoded_bytes`.
caf::error save_encoded(caf::serializer& sink, std::span<const std::byte> bytes);

/// Reads what `save_encoded` wrote. A length beyond `max_encoded_bytes` fails
/// with `sec::invalid_argument` before any memory is taken for it.
caf::error load_encoded(caf::deserializer& source, std::vector<std::byte>& bytes);

/// As CAF speaks of it: `sec::invalid_argument` with the message of `why`.
caf::error to_caf_error(const failure& why);

/// CAF's serialisation of all `carried` types.
template <class Inspector, class T>
requires carried<T>
typename Inspector::result_type inspect(Inspector& f, T& x) {
  if constexpr (std::is_base_of_v<caf::serializer, Inspector>) {
    return save_encoded(f, encode(x));
  } else if constexpr (std::is_base_of_v<caf::deserializer, Inspector>) {
    std::vector<std::byte> bytes;
    if (auto error = load_encoded(f, bytes))
      return error;
    auto decoded = decode<T>(bytes);
    if (!decoded)
      return to_caf_error(decoded.error());
    x = std::move(*decoded);
    return caf::none;
  } else {
    return f(to_string(x));
  }
}

} // namespace novacron
