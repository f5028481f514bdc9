#include "runtime/cli/join_commands.hpp"

#include "actors/peer/identity.hpp"
#include "messages/durable_file.hpp"
#include "messages/names.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/cli/command_groups.hpp"
#include "runtime/config/node_config.hpp"
#include "runtime/errors.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <ostream>

namespace novacron {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr auto answer_limit = std::chrono::seconds{20};

failure refused(const std::string& why) {
  return make_failure(runtime_errc::configuration, why);
}

std::string trimmed(std::string text) {
  text.resize(text.find_last_not_of(" \r\n\t") + 1);
  return text;
}

/// The node's key and id, drawn by an earlier attempt or now.
struct own_secret {
  node_id node;
  key_pair keys;
  bool again = false; ///< an earlier attempt didn't come to its end
};

result<own_secret> draw_or_find(const fs::path& folder, const std::string& name) {
  own_secret own;
  const auto id_file = folder / (name + ".id");
  const auto key_file = folder / (name + ".key");
  const auto open_file = folder / (name + ".pub");
  if (fs::exists(id_file)) {
    auto id = read_small_file(id_file, "the node's id");
    auto key = read_small_file(key_file, "the node's key");
    auto open = read_small_file(open_file, "the node's public key");
    for (const auto* each : {&id, &key, &open})
      if (!*each)
        return each->error();
    own.node.value = parse_uuid(trimmed(*id)).value_or(uuid{});
    own.keys = {*key, *open};
    own.again = true;
    return own;
  }
  auto keys = draw_key_pair();
  if (!keys)
    return keys.error();
  own.node.value = random_uuid();
  own.keys = std::move(*keys);
  if (auto done = write_secret_file(key_file, own.keys.private_key); !done)
    return done.error();
  if (auto done = write_secret_file(open_file, own.keys.public_key); !done)
    return done.error();
  if (auto done = write_secret_file(id_file, to_string(own.node) + '\n'); !done)
    return done.error();
  return own;
}

/// The answer, and its signature.
result<std::pair<join_answer, std::vector<std::byte>>>
ask(const join_plan& plan, const join_request& request, const std::vector<std::byte>& signature) {
  auto client = gateway_client::make(plan.url, {});
  if (!client)
    return client.error();
  client_request call;
  call.method = "POST";
  call.path = "/api/v1/join";
  call.body = json::serialize(json::object{{"token", to_string(request.token)},
                                           {"node", to_string(request.node)},
                                           {"name", request.name},
                                           {"mesh_address", request.mesh_address},
                                           {"public_key", request.public_key},
                                           {"signature", hex_of(signature)}});
  call.limit = answer_limit;
  auto reply = client->ask(call);
  if (!reply)
    return reply.error();
  if (!reply->ok())
    return refused(render_problem(reply->status, reply->body));
  join_answer answer;
  answer.certificate = field_text(reply->body, "certificate");
  answer.authority = field_text(reply->body, "authority");
  answer.cluster = field_text(reply->body, "cluster");
  if (const auto* list = field(reply->body, "controllers").if_array())
    for (const auto& each : *list)
      if (each.is_string())
        answer.controllers.emplace_back(each.as_string());
  return std::pair{std::move(answer), from_hex(field_text(reply->body, "signature"))};
}

/// `told`: other nodes are told to come there.
result<void> check_place(const std::string& option, const std::string& text, bool told) {
  const auto place = parse_address(text);
  if (!place || place->port == 0)
    return refused(option + ' ' + text + " is no host:port");
  if (told && is_wildcard(*place))
    return refused(option + ' ' + text
                   + " is every address of this machine; name the one at which other nodes "
                     "reach it");
  return {};
}

/// What isn't good is refused before the token is used.
result<void> check_places(const join_plan& plan) {
  if (auto good = check_place("--mesh", plan.mesh, true); !good)
    return good;
  if (!plan.pages.empty())
    if (auto good = check_place("--pages", plan.pages, true); !good)
      return good;
  return plan.gateway.empty() ? result<void>{} : check_place("--gateway", plan.gateway, false);
}

/// What is the same for all nodes of a cluster may be there already.
result<void> write_shared(const fs::path& file, const std::string& content) {
  if (auto there = read_small_file(file, "a file of the cluster's"); there && *there == content)
    return {};
  return write_secret_file(file, content);
}

/// An attempt that ended between two files may have left some of them.
result<void> write_own(const fs::path& file, const std::string& content, bool again) {
  if (!again || !fs::exists(file))
    return write_secret_file(file, content);
  if (replace_durable_file(file, content, 0600))
    return {};
  return make_failure(runtime_errc::folder,
                      "cannot write " + file.string() + ": " + std::strerror(errno));
}

std::string quoted(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& each : texts)
    out += (out.empty() ? "\"" : ", \"") + each + '"';
  return '[' + out + ']';
}

} // namespace

std::string joined_config(const join_plan& plan, const std::vector<node_role>& roles,
                          const std::vector<std::string>& controllers) {
  std::vector<std::string> played;
  for (auto role : roles)
    if (role == node_role::controller || (role == node_role::gateway && !plan.gateway.empty())
        || (role == node_role::host && !plan.pages.empty()))
      played.push_back(to_string(role));
  auto has = [&](node_role role) {
    return std::find(played.begin(), played.end(), to_string(role)) != played.end();
  };
  std::string out
      = "# Made by `novacron cluster join`. Relative paths start at this file's folder.\n\n"
        "[node]\nname = \""
        + plan.name + "\"\nroles = " + quoted(played) + "\nstate = \"" + plan.name
        + "\"\ncluster = \"cluster/cluster-id\"\n\n"
          "[mesh]\nlisten = \""
        + plan.mesh + "\"\ncontrollers = " + quoted(controllers)
        + "\n\n[tls]\ncertificate = \"cluster/" + plan.name + ".pem\"\nkey = \"cluster/" + plan.name
        + ".key\"\nauthority = \"cluster/ca.pem\"\n";
  if (has(node_role::controller))
    out += "\n[controller]\njoined = true # it founds nothing: the leader adds it\n";
  if (has(node_role::gateway))
    out += "\n[gateway]\nlisten = \"" + plan.gateway
           + "\"\ntokens = \"cluster/tokens\" # copy it from another gateway\n";
  if (has(node_role::host))
    out += "\n[host]\npage_listen = \"" + plan.pages + "\"\n";
  return out;
}

result<fs::path> join_cluster(const join_plan& plan) {
  auto token = parse_join_token(plan.token);
  if (!token)
    return token.error();
  if (auto good = check_places(plan); !good)
    return good.error();
  const auto cluster = plan.folder / "cluster";
  std::error_code error;
  fs::create_directories(cluster, error);
  if (!error)
    fs::permissions(cluster, fs::perms::owner_all, error);
  if (error)
    return make_failure(runtime_errc::folder,
                        "cannot make the folder " + cluster.string() + ": " + error.message());
  auto own = draw_or_find(cluster, plan.name);
  if (!own)
    return own.error();
  join_request request{token->id, own->node, plan.name, plan.mesh, own->keys.public_key};
  auto signature = sign_join(*token, request);
  if (!signature)
    return signature.error();
  auto reply = ask(plan, request, *signature);
  if (!reply)
    return reply.error();
  const auto& [answer, proof] = *reply;
  if (auto good = check_answer(*token, request, answer, own->keys.private_key, proof); !good)
    return good.error();
  const auto file = plan.folder / (plan.name + ".toml");
  const auto roles = identity_of(answer.certificate)->roles;
  if (auto done = write_shared(cluster / "ca.pem", answer.authority); !done)
    return done.error();
  if (auto done = write_shared(cluster / "cluster-id", answer.cluster + '\n'); !done)
    return done.error();
  const auto certificate = cluster / (plan.name + ".pem");
  if (auto done = write_own(certificate, answer.certificate, own->again); !done)
    return done.error();
  if (auto done = write_own(file, joined_config(plan, roles, answer.controllers), own->again);
      !done)
    return done.error();
  fs::remove(cluster / (plan.name + ".id"), error);
  fs::remove(cluster / (plan.name + ".pub"), error);
  return file;
}

void add_join_commands(CLI::App& app, const command_mount& mount) {
  auto there = app.get_subcommands([](CLI::App* x) { return x->get_name() == "cluster"; });
  auto* group = there.empty() ? app.add_subcommand("cluster", "The cluster") : there.front();
  auto roles = std::make_shared<std::string>();
  auto life = std::make_shared<int>(3'600);
  auto* token = group->add_subcommand("token", "Make a token that lets one new node join, once");
  token->add_option("--role", *roles, "controller, gateway, host; several with + between them")
      ->required();
  token->add_option("--life", *life, "In seconds; at most seven days")->capture_default_str();
  mount.on(token, [roles, life](client_session& session) {
    const auto body = json::serialize(json::object{{"roles", *roles}, {"life_seconds", *life}});
    auto made = session.change("POST", "/api/v1/join-tokens", body);
    if (session.json())
      session.show_one(made);
    else
      session.where().out << field_text(made, "token") << '\n';
  });
  auto plan = std::make_shared<join_plan>();
  auto* join = group->add_subcommand("join", "Get a certificate with a token; write what a new "
                                             "node starts from");
  join->fallthrough();
  join->add_option("--token", plan->token, "What `cluster token` printed")->required();
  join->add_option("--name", plan->name, "The node's")->required();
  join->add_option("--mesh", plan->mesh, "host:port of its door")->required();
  join->add_option("--into", plan->folder, "Where its files go")->required();
  join->add_option("--pages", plan->pages, "host:port of its DWCP door, if it is to be a host");
  join->add_option("--gateway", plan->gateway, "host:port of its API, if it is to be a gateway");
  join->callback([plan, options = mount.options, where = mount.where, &chosen = mount.chosen] {
    chosen = [plan, options, where] {
      plan->url = options->url;
      auto file = join_cluster(*plan);
      if (!file) {
        where.err << "novacron cluster join: " << file.error().message
                  << (file.error().message.ends_with('\n') ? "" : "\n");
        return static_cast<int>(exit_status::refused);
      }
      where.out << "joined; start it with: novacron node --config " << file->string() << '\n';
      return static_cast<int>(exit_status::done);
    };
  });
}

} // namespace novacron
