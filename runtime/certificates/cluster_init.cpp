#include "runtime/certificates/cluster_init.hpp"

#include "actors/gateway/tokens.hpp"
#include "messages/names.hpp"
#include "runtime/certificates/authority.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/config/nearest_name.hpp"
#include "runtime/errors.hpp"

#include <algorithm>
#include <array>
#include <openssl/rand.h>
#include <set>
#include <span>

namespace novacron {

namespace {

constexpr size_t token_bytes = 32;
constexpr size_t max_name_letters = 63;

failure refused(const std::string& what) {
  return make_failure(runtime_errc::configuration, what);
}

failure bad_node(std::string_view text, const std::string& why) {
  return refused("--node " + std::string{text} + ": " + why
                 + "; write for example --node name=node-1,roles=controller+gateway+host");
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= max_name_letters && name.front() != '-'
         && std::all_of(name.begin(), name.end(), [](unsigned char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                     || c == '-';
            });
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

std::string hexadecimal(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

result<std::string> random_token() {
  std::array<unsigned char, token_bytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return make_failure(runtime_errc::certificate, "cannot make a token: no random numbers");
  return hexadecimal(bytes);
}

result<void> write_pair(const std::filesystem::path& folder, const std::string& name,
                        const certified_key& pair) {
  if (auto done = write_secret_file(folder / (name + ".pem"), pair.certificate); !done)
    return done;
  return write_secret_file(folder / (name + ".key"), pair.key);
}

/// The node's uuid.
result<node_id> issue_to(const std::filesystem::path& folder,
                         const certificate_authority& authority, const planned_node& node) {
  certificate_request request;
  request.name = node.name;
  request.node.value = random_uuid();
  request.roles = node.roles;
  request.addresses.insert(request.addresses.end(), node.addresses.begin(), node.addresses.end());
  auto pair = authority.issue(request);
  if (!pair)
    return pair.error();
  if (auto done = write_pair(folder, node.name, *pair); !done)
    return done.error();
  return request.node;
}

result<void> make_empty_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && !std::filesystem::is_empty(folder, error) && !error)
    return make_failure(runtime_errc::folder,
                        folder.string()
                            + " is not empty: keys are never overwritten; choose another folder, "
                              "or remove this one and the cluster with it");
  if (!error)
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error)
    return make_failure(runtime_errc::folder,
                        "cannot make the folder " + folder.string() + ": " + error.message());
  return {};
}

} // namespace

result<planned_node> parse_planned_node(std::string_view text) {
  planned_node node;
  for (auto part : split(text, ',')) {
    const auto equals = part.find('=');
    const auto key = part.substr(0, equals);
    const auto value
        = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
    if (key == "name") {
      if (!is_name(value))
        return bad_node(text, "a name has letters, digits and '-', and at most 63 of them");
      node.name = value;
    } else if (key == "address") {
      if (!is_ip_address(std::string{value}))
        return bad_node(text, "\"" + std::string{value} + "\" is no IP address");
      node.addresses.emplace_back(value);
    } else if (key == "roles") {
      for (auto name : split(value, '+'))
        if (auto role = parse<node_role>(name))
          node.roles.push_back(*role);
        else
          return bad_node(text, "there is no role \"" + std::string{name} + "\"; "
                                    + hint_for(name, {"controller", "gateway", "host"}));
    } else
      return bad_node(text, "there is no key \"" + std::string{key} + "\"; "
                                + hint_for(key, {"name", "roles", "address"}));
  }
  if (node.name.empty() || node.roles.empty())
    return bad_node(text, "name and roles are needed");
  return node;
}

std::vector<planned_node> development_nodes() {
  return {{"node-1", {node_role::controller, node_role::gateway, node_role::host}, {}},
          {"node-2", {node_role::host}, {}},
          {"node-3", {node_role::host}, {}}};
}

result<void> init_cluster(const std::filesystem::path& folder,
                          const std::vector<planned_node>& nodes) {
  std::set<std::string> names{"ca"};
  for (const auto& node : nodes)
    if (!names.insert(node.name).second)
      return refused("two nodes are called \"" + node.name + "\" (\"ca\" is taken)");
  if (auto made = make_empty_folder(folder); !made)
    return made;
  const cluster_id cluster{random_uuid()};
  auto authority = certificate_authority::make(cluster);
  if (!authority)
    return authority.error();
  if (auto done = write_pair(folder, "ca", authority->files()); !done)
    return done;
  std::string founders;
  for (const auto& node : nodes) {
    auto id = issue_to(folder, *authority, node);
    if (!id)
      return id.error();
    if (std::find(node.roles.begin(), node.roles.end(), node_role::controller) != node.roles.end())
      founders += to_string(*id) + ' ' + node.name + '\n';
  }
  if (auto done = write_secret_file(folder / "founders", founders); !done)
    return done;
  auto token = random_token();
  if (!token)
    return token.error();
  if (auto done = write_secret_file(folder / "admin-token", *token + '\n'); !done)
    return done;
  if (auto done = write_secret_file(folder / "tokens", sha256_hex(*token) + " admin\n"); !done)
    return done;
  return write_secret_file(folder / "cluster-id", to_string(cluster) + '\n');
}

result<void> add_cluster_node(const std::filesystem::path& folder, const planned_node& node) {
  auto certificate = read_small_file(folder / "ca.pem", "the CA's certificate");
  if (!certificate)
    return certificate.error();
  auto key = read_small_file(folder / "ca.key", "the CA's key");
  if (!key)
    return key.error();
  auto authority = certificate_authority::load({*certificate, *key});
  if (!authority)
    return authority.error();
  if (auto id = issue_to(folder, *authority, node); !id)
    return id.error();
  return {};
}

} // namespace novacron
