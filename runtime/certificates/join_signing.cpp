#include "runtime/certificates/join_signing.hpp"

#include "actors/peer/identity.hpp"
#include "runtime/certificates/authority.hpp"
#include "runtime/certificates/secret_file.hpp"

#include <algorithm>

namespace novacron {

namespace {

result<certificate_authority> load_authority(const std::filesystem::path& certificate,
                                             const std::filesystem::path& key) {
  auto pem = read_small_file(certificate, "the CA's certificate");
  if (!pem)
    return pem.error();
  auto secret = read_small_file(key, "the CA's key");
  if (!secret)
    return secret.error();
  return certificate_authority::load({*pem, *secret});
}

} // namespace

std::vector<std::string> controllers_for(const std::vector<address>& founders,
                                         const std::vector<known_controller>& known,
                                         const std::string& asking) {
  std::vector<std::string> present;
  std::vector<std::string> all;
  for (const auto& each : known) {
    if (to_string(each.door) == asking)
      continue;
    all.push_back(to_string(each.door));
    if (std::ranges::find(founders, each.door) != founders.end())
      present.push_back(to_string(each.door));
  }
  if (!present.empty())
    return present;
  if (all.empty())
    for (const auto& each : founders)
      all.push_back(to_string(each));
  return all;
}

result<join_desk> make_join_desk(const node_config& config,
                                 std::shared_ptr<const node_roster> roster) {
  join_desk desk;
  auto authority = read_small_file(config.tls.authority, "the CA's certificate");
  if (!authority)
    return authority.error();
  desk.authority = *authority;
  const auto& key = config.gateway->authority_key;
  if (key.empty())
    return desk;
  if (auto loads = load_authority(config.tls.authority, key); !loads)
    return loads.error();
  desk.sign = [certificate = config.tls.authority, key, cluster = config.cluster,
               founders = config.mesh.controllers, roster = std::move(roster)](
                  const join_request& asked,
                  const std::vector<node_role>& roles) -> result<join_desk::signed_answer> {
    auto ca = load_authority(certificate, key);
    if (!ca)
      return ca.error();
    certificate_request request;
    request.name = asked.name;
    request.node = asked.node;
    request.roles = roles;
    if (auto door = parse_address(asked.mesh_address); door && is_ip_address(door->host))
      request.addresses.push_back(door->host);
    auto made = ca->certify(request, asked.public_key);
    if (!made)
      return made.error();
    join_desk::signed_answer out;
    out.answer = {*made, ca->files().certificate, to_string(cluster),
                  controllers_for(founders, roster->controllers(), asked.mesh_address)};
    auto signature = sign(ca->files().key, out.answer.text(asked));
    if (!signature)
      return signature.error();
    out.signature = std::move(*signature);
    return out;
  };
  return desk;
}

} // namespace novacron
