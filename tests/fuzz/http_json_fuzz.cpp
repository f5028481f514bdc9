#include "actors/gateway/request_bodies.hpp"
#include "actors/gateway/router.hpp"

#include <cstdlib>
#include <string_view>

using namespace novacron;

namespace {

/// A body that is refused must be a client's mistake, and say what to do.
template <class T>
void check(const parsed<T>& x) {
  if (!x && (x.error().status != 400 || x.error().detail.empty() || to_json(x.error()).empty()))
    std::abort();
}

} // namespace

/// The parsers that a client's bytes reach first: bodies, targets, routes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  auto created = parse_create(text);
  check(created);
  if (created && (!is_vm_name(created->name) || created->spec.memory_mib < 16))
    std::abort();
  check(parse_migrate(text));
  check(parse_kill(text));
  check(parse_nothing(text));
  auto target = parse_target(text);
  check(target);
  if (!target)
    return 0;
  for (auto method : {"GET", "POST", "DELETE"})
    for (auto door : {listener::api, listener::operators})
      find_route(door, method, *target);
  check(only_parameters(*target, {"limit", "wait"}));
  auto limit = number_parameter(*target, "limit", 1, 1'000, 100);
  check(limit);
  auto wait = duration_parameter(*target, "wait", std::chrono::seconds{60});
  check(wait);
  if ((limit && (*limit < 1 || *limit > 1'000))
      || (wait && (wait->count() < 0 || *wait > std::chrono::seconds{60})))
    std::abort();
  return 0;
}
