#include "messages/address.hpp"
#include "messages/names.hpp"
#include "messages/uuid.hpp"

#include <cstdlib>

using namespace novacron;

namespace {

/// What is read is what is written again.
template <class Text, class T>
void check(const Text& text, const std::optional<T>& x) {
  if (x && to_string(*x) != text)
    std::abort();
}

/// A uuid may be written in capitals.
void check_again(const std::optional<uuid>& x) {
  if (x && parse_uuid(to_string(*x)) != x)
    std::abort();
}

} // namespace

/// Ids, addresses and enumerators as people and files write them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check_again(parse_uuid(text));
  if (const auto x = parse_address(text); x && parse_address(to_string(*x)) != x)
    std::abort();
  check(text, parse<node_role>(text));
  check(text, parse<host_state>(text));
  check(text, parse<restart_policy>(text));
  return 0;
}
