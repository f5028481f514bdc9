#include "actors/peer/mesh_config.hpp"

#include "actors/peer/mesh_errors.hpp"
#include "actors/peer/mesh_versions.hpp"
#include "actors/peer/openssl_calls.hpp"
#include "actors/peer/openssl_handles.hpp"
#include "messages/actors.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>
#include <fstream>
#include <iterator>

namespace novacron {

namespace {

result<std::string> read_pem(const std::string& what, const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text;
  if (file)
    text.assign(std::istreambuf_iterator<char>{file}, {});
  if (!path.empty() && file && text.size() <= max_pem_bytes)
    return text;
  return make_failure(identity_errc::malformed,
                      "cannot read the node's " + what + " from \"" + path.string()
                          + "\": nodes speak mutual TLS only; make the files with `novacron "
                            "cluster init` and name them in the configuration");
}

failure about(const std::filesystem::path& path, const failure& why) {
  return {why.code, path.string() + ": " + why.message};
}

std::string render_mesh_error(uint8_t, caf::atom_value, const caf::message& context) {
  return context.match_elements<std::string>() ? context.get_as<std::string>(0) : "mesh error";
}

} // namespace

result<mesh_identity> read_mesh_identity(const mesh_files& files) {
  auto certificate = read_pem("certificate", files.certificate);
  auto key = read_pem("key", files.key);
  auto authority = read_pem("authority", files.authority);
  for (const auto* each : {&certificate, &key, &authority})
    if (!*each)
      return each->error();
  if (auto good = verify_with_authority(*certificate, *authority); !good)
    return about(files.certificate, good.error());
  if (auto good = verify_key(*certificate, *key); !good)
    return about(files.key, good.error());
  auto owner = identity_of(*certificate);
  if (!owner)
    return about(files.certificate, owner.error());
  mesh_identity out;
  out.node = owner->node;
  out.certificate = std::move(*certificate);
  out.key = std::move(*key);
  out.authority = std::move(*authority);
  return out;
}

result<void> configure_mesh(caf::actor_system_config& cfg, const mesh_config& mesh) {
  if (auto identity = read_mesh_identity(mesh.files); !identity)
    return identity.error();
  if (auto ours = check_openssl_calls(); !ours)
    return ours;
  cfg.add_message_types<caf::id_block::novacron>();
  cfg.add_error_category(mesh_errors, render_mesh_error);
  cfg.load<caf::io::middleman>();
  cfg.load<caf::openssl::manager>();
  cfg.openssl_certificate = mesh.files.certificate.string();
  cfg.openssl_key = mesh.files.key.string();
  cfg.openssl_cafile = mesh.files.authority.string();
  cfg.set("scheduler.policy", caf::atom("sharing"));
  cfg.set("scheduler.max-threads", mesh.threads);
  cfg.set("middleman.heartbeat-interval", caf::timespan{mesh.heartbeat});
  cfg.set("middleman.connection-timeout", caf::timespan{mesh.timeout});
  cfg.set("middleman.enable-automatic-connections", false);
  cfg.set("middleman.app-identifiers", mesh_names(mesh.cluster));
  return {};
}

} // namespace novacron
