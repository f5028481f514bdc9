// Tokens that let nodes join.

#include "storage/state/batch_applier.hpp"

#include <algorithm>

namespace novacron {

namespace {

constexpr std::chrono::milliseconds longest_life = std::chrono::hours{24 * 7};
/// Tokens are kept so long after their end, so that a late use is told what happened.
constexpr std::chrono::milliseconds kept_after_end = std::chrono::hours{24};
constexpr size_t most_tokens = 1'000;

} // namespace

void batch_applier::drop_old_tokens() {
  std::vector<token_id> old;
  for (const auto& [id, token] : state_.join_tokens_)
    if (token.expires + kept_after_end < state_.now_)
      old.push_back(id);
  for (const auto& id : old)
    remove(state_.join_tokens_.at(id));
}

batch_applier::outcome batch_applier::apply(const make_join_token& command) {
  if (state_.find(command.token))
    return refuse(command_errc::bad_token, "there is such a token already; choose another id");
  if (command.roles.empty() || command.life.count() <= 0 || command.life > longest_life)
    return refuse(command_errc::bad_token,
                  "a token needs a role, and a life of at most seven days");
  drop_old_tokens();
  if (state_.join_tokens_.size() >= most_tokens)
    return refuse(command_errc::bad_token, "there are 1000 tokens; wait until some are over");
  join_token_record token;
  token.id = command.token;
  token.key = command.key;
  token.roles = command.roles;
  token.created = state_.now_;
  token.expires = state_.now_ + command.life;
  add(std::move(token));
  return {};
}

batch_applier::outcome batch_applier::apply(const use_join_token& command) {
  const auto& said = command.node;
  auto token = state_.find(command.token);
  if (!token)
    return refuse(command_errc::bad_token, "there is no such token; ask for a new one");
  if (!token->used_by.nil()) {
    if (token->used_by == said.id)
      return {}; // whoever asks again got no answer
    return refuse(command_errc::bad_token, "the token was used; ask for a new one");
  }
  if (token->expires <= state_.now_)
    return refuse(command_errc::bad_token, "the token is too old; ask for a new one");
  if (said.id.nil() || said.name.empty() || state_.find_node(said.id))
    return refuse(command_errc::bad_token, "a node joins with a name, and an id of its own");
  if (auto conflict = name_conflict(said))
    return *conflict;
  node_record node;
  node.id = said.id;
  node.name = said.name;
  node.roles = token->roles;
  node.mesh_address = said.mesh_address;
  add(std::move(node));
  edit(*token, [&](join_token_record& x) { x.used_by = said.id; });
  return {};
}

} // namespace novacron
