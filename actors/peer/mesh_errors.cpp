#include "actors/peer/mesh_errors.hpp"

#include <caf/make_message.hpp>

namespace novacron {

caf::error make_error(mesh_errc code, std::string why) {
  return {static_cast<uint8_t>(code), mesh_errors, caf::make_message(std::move(why))};
}

bool is(const caf::error& what, mesh_errc code) {
  return what && what.category() == mesh_errors && what.code() == static_cast<uint8_t>(code);
}

bool has_done_nothing(const caf::error& why) {
  return why && why.category() == mesh_errors && !is(why, mesh_errc::lost);
}

} // namespace novacron
