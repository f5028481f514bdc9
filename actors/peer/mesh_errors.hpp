#pragma once

#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <cstdint>
#include <string>

namespace novacron {

/// Why another node didn't do what it was asked to; travels between nodes.
enum class mesh_errc : uint8_t {
  unverified = 1, ///< say hello first
  forbidden,      ///< the sender's roles don't allow it
  not_here,       ///< this node doesn't have the role
  refused,        ///< the hello failed
  unconnected,    ///< there is no link at the moment
  overloaded,     ///< too many requests are on the way
  lost,           ///< the link broke with the request on its way: nobody knows what became of it
  withdrawn,      ///< what was asked for isn't offered any more
};

constexpr caf::atom_value mesh_errors = caf::atom("mesh");

caf::error make_error(mesh_errc code, std::string why);

/// Is `what` this one?
bool is(const caf::error& what, mesh_errc code);

/// Does `why` say that a request has done nothing anywhere?
bool has_done_nothing(const caf::error& why);

} // namespace novacron
