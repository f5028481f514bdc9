#pragma once

#include "actors/gateway/problem.hpp"
#include "actors/peer/join.hpp"
#include "messages/records.hpp"

#include <string>
#include <string_view>

namespace novacron {

// The bodies that the API takes. Unknown fields are refused: a field that is
// spelt wrong must not be a field that is silently left out.

struct create_body {
  std::string name;
  vm_spec spec;
};

/// name, vcpus, memory_mib and image must be there; kernel_arguments, restart,
/// labels, placement and networks may.
parsed<create_body> parse_create(std::string_view body);

/// The same for a plan, which needs no name.
parsed<create_body> parse_plan(std::string_view body);

struct migrate_body {
  std::string to; ///< a host's name or id; empty: the scheduler chooses
  migration_terms terms;
};

/// Nothing must be there: an empty body or `{}` leave the choice to the scheduler, and the
/// terms as they usually are.
parsed<migrate_body> parse_migrate(std::string_view body);

inline constexpr size_t longest_actor_path = 256;

struct kill_body {
  std::string node; ///< name or id
  std::string actor;
};
parsed<kill_body> parse_kill(std::string_view body);

/// Accepts `{"confirm": "off"}` alone: who says that a host is off must mean it.
parsed<void> parse_fenced(std::string_view body);

struct replace_body {
  std::string with; ///< a node's name or id
};
parsed<replace_body> parse_replace(std::string_view body);

struct join_token_wish {
  std::vector<node_role> roles;
  std::chrono::milliseconds life = std::chrono::hours{1};
};
/// roles, as in "controller+gateway+host", must be there; life_seconds may.
parsed<join_token_wish> parse_join_token_wish(std::string_view body);

struct join_body {
  join_request request;
  std::vector<std::byte> signature;
};
parsed<join_body> parse_join(std::string_view body);

/// Accepts nothing and `{}`.
parsed<void> parse_nothing(std::string_view body);

/// A name that a VM may have: a DNS label that isn't a uuid.
bool is_vm_name(std::string_view text);

} // namespace novacron
