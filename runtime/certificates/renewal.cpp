#include "runtime/certificates/renewal.hpp"

#include "actors/peer/identity.hpp"
#include "messages/durable_file.hpp"
#include "runtime/certificates/authority.hpp"
#include "runtime/certificates/certificate_end.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/config/nearest_name.hpp"
#include "runtime/errors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace novacron {

namespace {

namespace fs = std::filesystem;

fs::path with(fs::path file, const char* ending) {
  return file += ending;
}

failure about(const fs::path& file, const std::string& why) {
  return make_failure(runtime_errc::certificate, file.string() + ": " + why);
}

failure cannot_write(const fs::path& file) {
  return make_failure(runtime_errc::folder, "cannot write " + file.string() + ": "
                                                + std::strerror(errno)
                                                + "; see that its disk has room and can be "
                                                  "written, then renew again");
}

result<certificate_authority> authority_in(const fs::path& folder) {
  const std::string remedy = "; name the folder that `novacron cluster init` made";
  auto certificate = read_small_file(folder / "ca.pem", "the CA's certificate");
  if (!certificate)
    return make_failure(runtime_errc::folder, certificate.error().message + remedy);
  auto key = read_small_file(folder / "ca.key", "the CA's key");
  if (!key)
    return make_failure(runtime_errc::folder, key.error().message + remedy);
  auto authority = certificate_authority::load({*certificate, *key});
  if (!authority)
    return about(folder / "ca.key", authority.error().message);
  return authority;
}

/// Those whose certificates are in the folder.
std::vector<std::string> nodes_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at{folder, error}, end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".pem" && at->path().stem() != "ca")
      names.push_back(at->path().stem().string());
  std::ranges::sort(names);
  return names;
}

/// The pair that is there, if it is one: what a power cut left of a renewal isn't.
result<std::optional<certified_key>> whole_pair(const std::string& certificate,
                                                const fs::path& key_file) {
  std::error_code error;
  if (!fs::exists(key_file, error))
    return std::optional<certified_key>{};
  auto key = read_small_file(key_file, "the node's key");
  if (!key)
    return key.error();
  if (!verify_key(certificate, *key))
    return std::optional<certified_key>{};
  return std::optional{certified_key{certificate, *key}};
}

/// Puts `pair` where `old`, if there is one, is kept beside it.
result<void> put_in_place(const fs::path& certificate, const fs::path& key,
                          const certified_key& pair, const std::optional<certified_key>& old) {
  const auto new_certificate = with(certificate, ".new");
  const auto new_key = with(key, ".new");
  std::error_code ignored;
  auto drop_new = [&] {
    fs::remove(new_certificate, ignored);
    fs::remove(new_key, ignored);
  };
  auto fail = [&](const fs::path& file) {
    auto why = cannot_write(file);
    drop_new();
    return why;
  };
  drop_new(); // of a renewal that was cut off
  if (!make_durable_file(new_key, pair.key, 0600))
    return fail(new_key);
  if (!make_durable_file(new_certificate, pair.certificate, 0600))
    return fail(new_certificate);
  if (old && !replace_durable_file(with(key, ".old"), old->key, 0600))
    return fail(with(key, ".old"));
  if (old && !replace_durable_file(with(certificate, ".old"), old->certificate, 0600))
    return fail(with(certificate, ".old"));
  if (std::rename(new_key.c_str(), key.c_str()) != 0)
    return fail(key);
  if (std::rename(new_certificate.c_str(), certificate.c_str()) != 0)
    return fail(certificate);
  if (!sync_folder(certificate.parent_path()))
    return cannot_write(certificate);
  return {};
}

} // namespace

result<renewed_pair> renew_node_certificate(const fs::path& folder, const std::string& name) {
  auto authority = authority_in(folder);
  if (!authority)
    return authority.error();
  if (const auto names = nodes_in(folder); std::ranges::find(names, name) == names.end())
    return make_failure(runtime_errc::configuration,
                        "there is no certificate of a node \"" + name + "\" in " + folder.string()
                            + " (that of a node that has joined is on its machine: copy it, not "
                              "its key, here first)"
                            + (names.empty() ? "" : "; " + hint_for(name, names)));
  const auto file = folder / (name + ".pem");
  const auto key_file = folder / (name + ".key");
  auto certificate = read_small_file(file, "the node's certificate");
  if (!certificate)
    return certificate.error();
  auto identity = identity_of(*certificate);
  if (!identity)
    return about(file, identity.error().message);
  auto pair = authority->renew(*certificate);
  if (!pair)
    return about(file, pair.error().message + ", " + (folder / "ca.pem").string()
                           + ": name the folder of the node's own cluster");
  if (auto good = verify_with_authority(pair->certificate, authority->files().certificate); !good)
    return about(folder / "ca.pem", good.error().message);
  auto end = end_of_certificate(pair->certificate);
  if (!end)
    return end.error();
  auto old = whole_pair(*certificate, key_file);
  if (!old)
    return old.error();
  if (auto done = put_in_place(file, key_file, *pair, *old); !done)
    return done.error();
  return renewed_pair{identity->node, *end};
}

result<std::chrono::sys_seconds> renew_authority(const fs::path& folder) {
  auto authority = authority_in(folder);
  if (!authority)
    return authority.error();
  auto renewed = authority->renewed();
  if (!renewed)
    return renewed.error();
  const auto& certificate = renewed->files().certificate;
  auto end = end_of_certificate(certificate);
  if (!end)
    return end.error();
  const auto file = folder / "ca.pem";
  if (const auto kept = with(file, ".old");
      !replace_durable_file(kept, authority->files().certificate, 0644))
    return cannot_write(kept);
  if (!replace_durable_file(file, certificate, 0644))
    return cannot_write(file);
  return *end;
}

} // namespace novacron
