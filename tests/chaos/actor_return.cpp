#include "actor_return.hpp"

#include "runtime/cli/render.hpp"
#include "tests/becomes_true.hpp"

namespace novacron::chaos {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto return_limit = 10s;
constexpr auto answer_limit = 1s; ///< of a look: the next one asks another gateway
constexpr auto look_every = 20ms;

std::optional<client_reply> read(const fault_scene& scene, const std::string& node,
                                 const std::string& path) {
  client_request call;
  call.path = "/api/v1/" + path;
  call.limit = answer_limit;
  auto reply = scene.where.ask(gateway_beside(node, scene.random), call);
  if (!reply)
    return {};
  return std::move(*reply);
}

actor_sight look(const killed_actor& killed, const fault_scene& scene) {
  const auto slash = killed.path.rfind('/');
  const auto asked = clock::now();
  const auto reply
      = read(scene, killed.node,
             "cluster/actors?limit=150&node=" + killed.node
                 + (slash == std::string::npos ? "" : "&path=" + killed.path.substr(0, slash)));
  if (!reply || !reply->ok())
    return actor_sight::not_yet;
  return look_for_actor(reply->body, killed.node + '/' + killed.path, asked - killed.sent);
}

/// What it was there for isn't there any more: nobody is to start it again.
bool has_nothing_to_do(const killed_actor& killed, const fault_scene& scene) {
  const auto id = killed.path.substr(std::min(killed.kind.size() + 1, killed.path.size()));
  if (killed.kind == of_a_vm) {
    const auto reply = read(scene, killed.node, "vms/" + id);
    return reply
           && (reply->status == 404
               || (reply->ok()
                   && (field_text(reply->body, "actual") == "gone"
                       || field_text(reply->body, "host") != killed.node)));
  }
  if (killed.kind != of_a_migration)
    return false;
  const auto reply = read(scene, killed.node, "migrations/" + id);
  if (!reply || !reply->ok())
    return reply && reply->status == 404;
  const auto phase = field_text(reply->body, "phase");
  return phase == "done" || phase == "rolled_back";
}

} // namespace

actor_sight look_for_actor(const boost::json::value& answer, std::string_view path,
                           std::chrono::duration<double> since_kill) {
  const auto* nodes = field(answer, "nodes").if_array();
  if (!nodes || nodes->size() != 1 || field_text(nodes->front(), "reachable") != "true")
    return actor_sight::not_yet;
  const auto* actors = field(nodes->front(), "actors").if_array();
  if (!actors)
    return actor_sight::not_yet;
  for (const auto& each : *actors)
    if (field_text(each, "path") == path)
      return field_text(each, "state") == "running"
                     && field_number(each, "up_seconds") < since_kill.count()
                 ? actor_sight::back
                 : actor_sight::not_yet;
  return field_text(nodes->front(), "next_cursor").empty() ? actor_sight::absent
                                                           : actor_sight::not_yet;
}

result<std::optional<std::chrono::milliseconds>> await_return(const killed_actor& killed,
                                                              const fault_scene& scene) {
  auto seen = actor_sight::not_yet;
  const auto known = [&] {
    seen = look(killed, scene);
    return seen == actor_sight::back
           || (seen == actor_sight::absent && has_nothing_to_do(killed, scene));
  };
  if (!becomes_true(return_limit, known, look_every))
    return failure{{},
                   killed.node + '/' + killed.path + " was killed and did not come back: "
                       + (seen == actor_sight::absent ? "its supervisor doesn't know it"
                                                      : "it isn't seen to run")};
  if (seen == actor_sight::absent)
    return std::optional<std::chrono::milliseconds>{};
  return std::optional{std::chrono::ceil<std::chrono::milliseconds>(clock::now() - killed.sent)};
}

} // namespace novacron::chaos
