#include "runtime/cli/command_groups.hpp"
#include "runtime/cli/render_actors.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

namespace novacron {

namespace {

namespace json = boost::json;

/// "node-2/guests/vm-4711" as the node and what is below it, which may be empty.
std::pair<std::string, std::string> split_path(const std::string& path) {
  const auto slash = path.find('/');
  return {path.substr(0, slash), slash == path.npos ? std::string{} : path.substr(slash + 1)};
}

/// As in a query or a path; names, ids and '/' stay as they are.
std::string percent_encoded(const std::string& text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text)
    if (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '/')
      out += static_cast<char>(c);
    else
      out += {'%', digits[c / 16], digits[c % 16]};
  return out;
}

/// Everything below `under`: all pages, where there are several.
json::value read_actors(client_session& session, const std::string& under, unsigned limit) {
  std::string path = "/api/v1/cluster/actors?limit=" + std::to_string(limit);
  if (under.empty())
    return session.read(path);
  const auto [node, below] = split_path(under);
  path += "&node=" + percent_encoded(node);
  if (below.empty())
    return session.read(path);
  path += "&path=" + percent_encoded(below);
  auto answer = session.read(path);
  const auto node_of = [](json::value& x) -> json::object* {
    auto* nodes = x.is_object() ? x.as_object().if_contains("nodes") : nullptr;
    const bool one = nodes != nullptr && nodes->is_array() && nodes->as_array().size() == 1;
    return one ? nodes->as_array().front().if_object() : nullptr;
  };
  auto* all = node_of(answer);
  while (all != nullptr && !field_text(*all, "next_cursor").empty()) {
    auto page = session.read(path + "&cursor=" + field_text(*all, "next_cursor"));
    auto* more = node_of(page);
    if (more == nullptr)
      break;
    if (auto* actors = (*more)["actors"].if_array())
      for (const auto& each : *actors)
        (*all)["actors"].as_array().push_back(each);
    (*all)["more"] = (*more)["more"];
    (*all)["next_cursor"] = (*more)["next_cursor"];
  }
  return answer;
}

void add_actors(CLI::App& app, const command_mount& mount) {
  auto under = std::make_shared<std::string>();
  auto limit = std::make_shared<unsigned>(20);
  auto* command = app.add_subcommand("actors", "The trees of actors: who runs, who was restarted");
  command->add_option("under", *under, "A node, or one of its supervisors: node-2/guests");
  command->add_option("--limit", *limit, "Show at most so many actors of each supervisor")
      ->check(CLI::Range(1, 150))
      ->capture_default_str();
  mount.on(command, [under, limit](client_session& session) {
    // Who names a supervisor wants all of its actors: in pages as large as may be.
    const bool all = under->find('/') != under->npos;
    auto answer = read_actors(session, *under, all ? 150 : *limit);
    if (session.json())
      session.show_one(answer);
    else
      session.where().out << render_actors(answer, *under);
  });
}

void add_chaos(CLI::App& app, const command_mount& mount) {
  auto* group = app.add_subcommand("chaos", "Faults on purpose, where the nodes allow them");
  group->require_subcommand(1);
  group->fallthrough();
  auto actor = std::make_shared<std::string>();
  auto* kill = group->add_subcommand("kill", "Kill an actor, as a fault would");
  kill->add_option("actor", *actor, "Its path, as `novacron actors` shows it: node-1/services/feed")
      ->required();
  mount.on(kill, [actor](client_session& session) {
    const auto [node, path] = split_path(*actor);
    if (node.empty() || path.empty())
      session.fail(exit_status::unreachable, *actor
                                                 + " is no actor's path\nname one as in "
                                                   "node-1/services/feed; list them with: novacron "
                                                   "actors");
    auto answer = session.change("POST", "/api/v1/chaos/kill",
                                 json::serialize(json::object{{"node", node}, {"actor", path}}));
    if (session.json())
      session.show_one(answer);
    else
      session.where().out << "killed " << *actor << '\n';
  });
}

} // namespace

void add_actor_commands(CLI::App& app, const command_mount& mount) {
  add_actors(app, mount);
  add_chaos(app, mount);
}

} // namespace novacron
