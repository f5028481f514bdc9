#include "actors/gateway/api.hpp"
#include "actors/gateway/request_bodies.hpp"
#include "actors/view/json_writer.hpp"
#include "actors/view/record_json.hpp"

namespace novacron {

namespace {

problem refused_token(std::string why) {
  command_outcome outcome;
  outcome.error = command_errc::bad_token;
  outcome.detail = std::move(why);
  return problem_of(outcome);
}

problem no_key_here() {
  return {"no_authority_key",
          409,
          "This node can't sign",
          "this node was not given the CA's key; ask one whose file names gateway.authority_key",
          {},
          {}};
}

std::string answer_json(const join_desk::signed_answer& given) {
  json_writer out;
  out.begin_object();
  out.key("certificate").text(given.answer.certificate);
  out.key("authority").text(given.answer.authority);
  out.key("cluster").text(given.answer.cluster);
  out.key("controllers").begin_array();
  for (const auto& each : given.answer.controllers)
    out.text(each);
  out.end_array();
  out.key("signature").text(hex_of(given.signature));
  out.end_object();
  return out.take();
}

} // namespace

void api::create_join_token(call& c) const {
  auto parameters = only_parameters(c.target, {});
  if (!parameters)
    return c.done(answer_of(parameters.error()));
  if (!way_.joins)
    return c.done(answer_of(no_such_path(c.target.path)));
  auto body = parse_join_token_wish(c.request->body);
  if (!body)
    return c.done(answer_of(body.error()));
  auto token = draw_join_token(token_id{way_.ids()}, way_.joins->authority);
  if (!token)
    return c.done(answer_of(bad_request(token.error().message)));
  make_join_token wish{token->id, public_key_of(*token), body->roles, body->life};
  // Asked again it would be another token, so no key is remembered.
  propose({std::move(wish), {}}, c.done,
          [token = *token, body = *body, done = c.done](const command_outcome&) {
            json_writer out;
            out.begin_object();
            out.key("id").text(to_string(token.id));
            out.key("token").text(to_text(token));
            out.key("life_seconds")
                .number(static_cast<uint64_t>(
                    std::chrono::duration_cast<std::chrono::seconds>(body.life).count()));
            out.end_object();
            done(json_answer(201, out.take()));
          });
}

/// No bearer token: the request carries the signature of the one to join with.
void api::join(call& c) const {
  auto parameters = only_parameters(c.target, {});
  if (!parameters)
    return c.done(answer_of(parameters.error()));
  if (!way_.joins)
    return c.done(answer_of(no_such_path(c.target.path)));
  if (!way_.joins->sign)
    return c.done(answer_of(no_key_here()));
  auto body = parse_join(c.request->body);
  if (!body)
    return c.done(answer_of(body.error()));
  if (!way_.status)
    return c.done(answer_of(no_such_path(c.target.path)));
  // The token may be quite new, and made by another gateway.
  way_.status({true}, [self = shared_from_this(), asked = *body,
                       done = c.done](const std::optional<group_status>& leader) {
    if (!leader)
      return done(answer_of(no_leader("no leader answered; nothing was done: ask again shortly")));
    self->view_->when_revision(leader->applied_index,
                               view_table::clock::now() + self->limits_.view_time,
                               [self, asked, done](wait_end) { self->let_join(asked, done); });
  });
}

void api::let_join(const join_body& asked, answer_function done) const {
  const auto& request = asked.request;
  const auto token = view_->join_token(request.token);
  if (!token)
    return done(answer_of(refused_token("there is no such token; ask for a new one")));
  if (!verify_join(token->key, request, asked.signature))
    return done(answer_of(refused_token("the request is not signed by the token")));
  use_join_token wish{token->id, {}};
  wish.node.id = request.node;
  wish.node.name = request.name;
  wish.node.mesh_address = request.mesh_address;
  // The log lets it be used once; only then anything is signed.
  propose({std::move(wish), {}}, done,
          [desk = *way_.joins, request, roles = token->roles, done](const command_outcome&) {
            auto given = desk.sign(request, roles);
            if (!given)
              return done(answer_of(bad_request(given.error().message)));
            done(json_answer(200, answer_json(*given)));
          });
}

} // namespace novacron
