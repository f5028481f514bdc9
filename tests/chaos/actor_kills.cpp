#include "actor_kills.hpp"

#include "runtime/cli/render.hpp"
#include "tests/becomes_true.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace novacron::chaos {

namespace {

using namespace std::chrono_literals;

constexpr auto answer_limit = 3s;
constexpr auto kill_limit = 2s; ///< an answer may die with who gives it, a migration end too soon
constexpr auto look_every = 20ms;
constexpr auto tree_limit = 30s;

enum class home : uint8_t { any, controller, with_gateway, without_replica, host };

struct actor_kind {
  std::string_view path; ///< of a vm's or a migration's: without its id
  home lives;
};

/// Those that many of live come more often.
constexpr std::array<actor_kind, 24> kinds{{{"services/replica", home::controller},
                                            {of_a_vm, home::host},
                                            {"services/feed", home::controller},
                                            {"services/frontend", home::controller},
                                            {of_a_vm, home::host},
                                            {"host", home::host},
                                            {of_a_migration, home::host},
                                            {"services/scheduler", home::controller},
                                            {"services/view", home::with_gateway},
                                            {"services/controller", home::without_replica},
                                            {of_a_vm, home::host},
                                            {"services/gateway", home::with_gateway},
                                            {"services/peers", home::any},
                                            {"services/door", home::any},
                                            {"services/controllers", home::controller},
                                            {"services/recovery", home::controller},
                                            {"services/drain", home::controller},
                                            {"services/stonith", home::controller},
                                            {"services/backups", home::controller},
                                            {"services/scale_out", home::with_gateway},
                                            {"services/roster", home::any},
                                            {of_a_migration, home::host},
                                            {"guests", home::host},
                                            {"services", home::any}}};

bool lives_at(home where, int node) {
  switch (where) {
  case home::controller:
    return lab::is_controller(node);
  case home::with_gateway:
    return lab::has_gateway(node);
  case home::without_replica:
    return !lab::is_controller(node);
  case home::host:
    return lab::is_host(node);
  case home::any:
    break;
  }
  return true;
}

template <class Range>
auto one_of(const Range& all, std::mt19937_64& random) {
  return all[std::uniform_int_distribution<size_t>{0, all.size() - 1}(random)];
}

std::string node_for(const actor_kind& kind, std::mt19937_64& random) {
  std::vector<int> fitting;
  for (int node = 1; node <= lab::nodes; ++node)
    if (lives_at(kind.lives, node))
      fitting.push_back(node);
  return lab::name(one_of(fitting, random));
}

/// Of a migration that runs: node and id; empty: there is none.
std::pair<std::string, std::string> a_migration(const fault_scene& scene) {
  client_request call;
  call.path = "/api/v1/migrations?limit=1000";
  call.limit = answer_limit;
  const auto reply = scene.where.ask(one_of(lab::gateways, scene.random), call);
  const auto* items = reply && reply->ok() ? field(reply->body, "items").if_array() : nullptr;
  for (size_t i = 0; items && i < items->size(); ++i) {
    const auto& each = (*items)[i];
    const auto phase = field_text(each, "phase");
    if (phase != "done" && phase != "rolled_back")
      return {field_text(each, scene.random() % 2 == 0 ? "from" : "to"), field_text(each, "id")};
  }
  return {};
}

std::optional<killed_actor> kill_one_of(const actor_kind& kind, const fault_scene& scene) {
  killed_actor killed;
  killed.kind = killed.path = kind.path;
  killed.node = node_for(kind, scene.random);
  if (kind.path == of_a_vm) {
    const auto all = scene.people.vms();
    if (all.empty())
      return {};
    const auto vm = one_of(all, scene.random);
    killed.node = vm.host;
    killed.path += '-' + vm.id;
  } else if (kind.path == of_a_migration) {
    const auto [where, id] = a_migration(scene);
    if (id.empty())
      return {};
    killed.node = where;
    killed.path += '-' + id;
  }
  client_request call;
  call.method = "POST";
  call.path = "/api/v1/chaos/kill";
  call.limit = answer_limit;
  call.body
      = boost::json::serialize(boost::json::object{{"node", killed.node}, {"actor", killed.path}});
  killed.sent = std::chrono::steady_clock::now();
  const auto reply = scene.where.ask(gateway_beside(killed.node, scene.random), call);
  killed.answered = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now()
                                                                 - killed.sent);
  return reply && reply->ok() ? std::optional{killed} : std::nullopt;
}

/// All that the nodes show of their trees; none: one of them doesn't.
std::optional<std::set<std::string>> shown_kinds(const lab& where) {
  client_request call;
  call.path = "/api/v1/cluster/actors";
  call.limit = answer_limit;
  const auto reply = where.ask(lab::gateways.front(), call);
  const auto* nodes = reply && reply->ok() ? field(reply->body, "nodes").if_array() : nullptr;
  if (!nodes || nodes->size() != lab::nodes)
    return {};
  std::set<std::string> found;
  for (const auto& node : *nodes) {
    const auto* actors = field(node, "actors").if_array();
    if (!actors || field_text(node, "reachable") != "true")
      return {};
    for (const auto& actor : *actors) {
      const auto path = field_text(actor, "path");
      found.insert(kind_of_actor(path.substr(std::min(path.find('/') + 1, path.size()))));
    }
  }
  return found;
}

} // namespace

std::string kind_of_actor(std::string_view path) {
  return std::string{path.substr(0, path.find('-'))};
}

int gateway_beside(const std::string& node, std::mt19937_64& random) {
  for (;;)
    if (const int gateway = one_of(lab::gateways, random); lab::name(gateway) != node)
      return gateway;
}

std::optional<killed_actor> kill_one_actor(size_t turn, const fault_scene& scene) {
  const auto& kind = kinds.at(turn % kinds.size());
  std::optional<killed_actor> killed;
  becomes_true(
      kill_limit, [&] { return (killed = kill_one_of(kind, scene)).has_value(); }, look_every);
  return killed;
}

result<std::set<std::string>> kinds_of_actors(const lab& where) {
  std::optional<std::set<std::string>> shown;
  const auto all_show = [&] { return (shown = shown_kinds(where)).has_value(); };
  if (!becomes_true(tree_limit, all_show, look_every))
    return failure{{}, "not all nodes showed their actors"};
  for (const auto& each : kinds)
    shown->emplace(each.path);
  return *shown;
}

} // namespace novacron::chaos
