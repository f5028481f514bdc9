#include "actors/gateway/request_bodies.hpp"

#include "actors/gateway/field_reader.hpp"
#include "messages/address.hpp"
#include "messages/names.hpp"
#include "messages/uuid.hpp"

#include <algorithm>
#include <initializer_list>

namespace novacron {

namespace {

constexpr size_t max_name = 63;
constexpr uint64_t max_vcpus = 64;
constexpr uint64_t min_memory_mib = 16;
constexpr uint64_t max_memory_mib = 1'048'576;
constexpr size_t max_image = 128;
constexpr size_t max_kernel_arguments = 1'024;
constexpr size_t max_host = 253;
constexpr uint64_t max_pause_milliseconds = 60'000;
constexpr uint64_t max_migration_seconds = 24 * 3'600;
constexpr uint64_t max_tries = 10;
constexpr uint64_t max_token_life_seconds = 7 * 24 * 3'600;
constexpr size_t max_public_key = 4'096;

bool is_kernel_arguments(std::string_view text) {
  return text.size() <= max_kernel_arguments && std::ranges::all_of(text, [](char c) {
           return c >= 0x20 && c < 0x7F && c != '"' && c != '\'' && c != '\\';
         });
}

} // namespace

bool is_vm_name(std::string_view text) {
  return !text.empty() && text.size() <= max_name && lower_or_digit(text.front())
         && std::ranges::all_of(text, [](char c) { return lower_or_digit(c) || c == '-'; })
         && !parse_uuid(text);
}

namespace {

parsed<create_body> parse_vm(std::string_view body, bool named) {
  field_reader fields{body,
                      {"name", "vcpus", "memory_mib", "image", "kernel_arguments", "restart",
                       "labels", "placement", "networks"}};
  create_body result;
  result.name = fields.text("name", named);
  fields.check((!named && result.name.empty()) || is_vm_name(result.name), "/name",
               "must be 1 to 63 of a-z 0-9 -, the first a letter or digit, and not a uuid");
  result.spec.vcpus = static_cast<uint32_t>(fields.number("vcpus", 1, max_vcpus));
  result.spec.memory_mib = fields.number("memory_mib", min_memory_mib, max_memory_mib);
  result.spec.image = fields.text("image", true);
  fields.check(is_word(result.spec.image, max_image, "._-"), "/image",
               "must be the name of an image of a host (1 to 128 of A-Z a-z 0-9 . _ -), not a path;"
               " see \"images\" in GET /api/v1/hosts");
  result.spec.kernel_arguments = fields.text("kernel_arguments", false);
  fields.check(is_kernel_arguments(result.spec.kernel_arguments), "/kernel_arguments",
               "must have at most 1024 printable ASCII characters, without quotes and backslashes");
  if (fields.has("restart")) {
    auto policy = parse<restart_policy>(fields.text("restart", false));
    fields.check(policy.has_value(), "/restart", "must be one of never, on_failure, always");
    result.spec.restart = policy.value_or(restart_policy::never);
  }
  result.spec.labels = fields.labels("labels");
  result.spec.placement = read_placement(fields);
  result.spec.networks = fields.words("networks");
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

} // namespace

parsed<create_body> parse_create(std::string_view body) {
  return parse_vm(body, true);
}

parsed<create_body> parse_plan(std::string_view body) {
  return parse_vm(body, false);
}

parsed<migrate_body> parse_migrate(std::string_view body) {
  migrate_body result;
  if (blank(body))
    return result;
  field_reader fields{body, {"to", "intent", "max_pause_ms", "max_seconds", "priority", "tries"}};
  result.to = fields.text("to", false);
  if (fields.has("to"))
    fields.check(!result.to.empty() && result.to.size() <= max_host && !has_control(result.to),
                 "/to",
                 "must be the name or the id of a host; leave it out to let the scheduler choose");
  if (fields.has("intent")) {
    const auto intent = parse<migration_intent>(fields.text("intent", false));
    fields.check(intent.has_value(), "/intent", "must be one of gentle, downtime, speed");
    result.terms.intent = intent.value_or(migration_intent::gentle);
  }
  if (fields.has("max_pause_ms"))
    result.terms.longest_pause
        = std::chrono::milliseconds{fields.number("max_pause_ms", 1, max_pause_milliseconds)};
  if (fields.has("max_seconds"))
    result.terms.time_limit
        = std::chrono::seconds{fields.number("max_seconds", 1, max_migration_seconds)};
  if (fields.has("priority")) {
    const auto priority = parse<migration_priority>(fields.text("priority", false));
    fields.check(priority.has_value(), "/priority", "must be one of low, normal, high");
    result.terms.priority = priority.value_or(migration_priority::normal);
  }
  if (fields.has("tries"))
    result.terms.tries = static_cast<uint32_t>(fields.number("tries", 1, max_tries));
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

parsed<kill_body> parse_kill(std::string_view body) {
  field_reader fields{body, {"node", "actor"}};
  kill_body result{fields.text("node", true), fields.text("actor", true)};
  fields.check(!result.node.empty() && result.node.size() <= max_host && !has_control(result.node),
               "/node", "must be the name or the id of a node");
  fields.check(!result.actor.empty() && result.actor.size() <= longest_actor_path
                   && !has_control(result.actor),
               "/actor", "must be an actor's path, such as guests/vm-<id>");
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

parsed<void> parse_fenced(std::string_view body) {
  field_reader fields{body, {"confirm"}};
  fields.check(fields.text("confirm", true) == "off", "/confirm",
               "must be \"off\": its guests will be started elsewhere, and if it is not off they "
               "run twice");
  if (fields.first_problem())
    return *fields.first_problem();
  return {};
}

parsed<replace_body> parse_replace(std::string_view body) {
  field_reader fields{body, {"with"}};
  replace_body result{fields.text("with", true)};
  fields.check(!result.with.empty() && result.with.size() <= max_host && !has_control(result.with),
               "/with", "must be the name or the id of the node that is to take its place");
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

parsed<join_token_wish> parse_join_token_wish(std::string_view body) {
  field_reader fields{body, {"roles", "life_seconds"}};
  join_token_wish result;
  std::string_view left;
  const auto roles = fields.text("roles", true);
  left = roles;
  for (bool more = !left.empty(); more;) {
    const auto end = left.find('+');
    const auto role = parse<node_role>(left.substr(0, end));
    fields.check(role.has_value(), "/roles",
                 "must be one or several of controller, gateway, host, with + between them");
    if (role && std::ranges::find(result.roles, *role) == result.roles.end())
      result.roles.push_back(*role);
    more = end != left.npos;
    left.remove_prefix(more ? end + 1 : left.size());
  }
  std::ranges::sort(result.roles);
  fields.check(!result.roles.empty(), "/roles", "must name a role");
  if (fields.has("life_seconds"))
    result.life = std::chrono::seconds{fields.number("life_seconds", 1, max_token_life_seconds)};
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

parsed<join_body> parse_join(std::string_view body) {
  field_reader fields{body, {"token", "node", "name", "mesh_address", "public_key", "signature"}};
  join_body result;
  auto& request = result.request;
  const auto token = parse_uuid(fields.text("token", true));
  const auto node = parse_uuid(fields.text("node", true));
  fields.check(token.has_value(), "/token", "must be the token's id, a uuid");
  fields.check(node && !node->nil(), "/node", "must be a uuid");
  request.token.value = token.value_or(uuid{});
  request.node.value = node.value_or(uuid{});
  request.name = fields.text("name", true);
  fields.check(is_word(request.name, max_name, "-"), "/name",
               "must be 1 to 63 of A-Z a-z 0-9 -, the first a letter or digit");
  request.mesh_address = fields.text("mesh_address", true);
  fields.check(parse_address(request.mesh_address).has_value(), "/mesh_address",
               "must be host:port, where the node's door will be");
  request.public_key = fields.text("public_key", true);
  fields.check(request.public_key.size() <= max_public_key, "/public_key",
               "must be a public key in PEM");
  result.signature = from_hex(fields.text("signature", true));
  fields.check(!result.signature.empty(), "/signature", "must be hexadecimal");
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

parsed<void> parse_nothing(std::string_view body) {
  if (blank(body))
    return {};
  field_reader fields{body, {}};
  if (fields.first_problem())
    return *fields.first_problem();
  return {};
}

} // namespace novacron
