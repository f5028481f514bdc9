#include "actors/gateway/tokens.hpp"
#include "actors/peer/identity.hpp"
#include "runtime/certificates/authority.hpp"
#include "runtime/certificates/cluster_init.hpp"
#include "runtime/certificates/own_certificate.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/certificates/token_file.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <sys/stat.h>

using namespace novacron;

namespace {

struct folder_of_test {
  std::filesystem::path path;
  folder_of_test() {
    std::string name = (std::filesystem::temp_directory_path() / "certificates.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder_of_test() { std::filesystem::remove_all(path); }
};

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

std::string content(const std::filesystem::path& file) {
  auto text = read_small_file(file, "a file");
  REQUIRE(text.has_value());
  return *text;
}

certificate_request request_of(std::vector<node_role> roles) {
  certificate_request request;
  request.name = "node-9";
  request.node.value = random_uuid();
  request.roles = std::move(roles);
  return request;
}

certificate_authority new_authority() {
  auto authority = certificate_authority::make(cluster_id{random_uuid()});
  REQUIRE(authority.has_value());
  return *authority;
}

} // namespace

TEST_CASE("a certificate names its node and roles, and its CA vouches for it") {
  const auto authority = new_authority();
  const auto request = request_of({node_role::host, node_role::gateway});
  auto pair = authority.issue(request);
  REQUIRE(pair.has_value());
  auto identity = identity_of(pair->certificate);
  REQUIRE(identity.has_value());
  CHECK(identity->node == request.node);
  CHECK(identity->roles == std::vector{node_role::gateway, node_role::host});
  CHECK(verify_with_authority(pair->certificate, authority.files().certificate).has_value());
  CHECK(verify_key(pair->certificate, pair->key).has_value());
}

TEST_CASE("a certificate of another CA is not trusted") {
  auto pair = new_authority().issue(request_of({node_role::host}));
  REQUIRE(pair.has_value());
  auto trusted = verify_with_authority(pair->certificate, new_authority().files().certificate);
  REQUIRE(!trusted);
  CHECK(trusted.error().code == identity_errc::untrusted);
}

TEST_CASE("a certificate whose time is over is refused as expired") {
  const auto authority = new_authority();
  auto request = request_of({node_role::host});
  request.valid_for = std::chrono::hours{-1};
  auto pair = authority.issue(request);
  REQUIRE(pair.has_value());
  auto trusted = verify_with_authority(pair->certificate, authority.files().certificate);
  REQUIRE(!trusted);
  CHECK(trusted.error().code == identity_errc::expired);
}

TEST_CASE("a node's certificate can't vouch for another") {
  const auto authority = new_authority();
  auto node = authority.issue(request_of({node_role::host}));
  REQUIRE(node.has_value());
  auto posing = certificate_authority::load(*node);
  REQUIRE(posing.has_value());
  auto forged = posing->issue(request_of({node_role::controller}));
  REQUIRE(forged.has_value());
  CHECK(!verify_with_authority(forged->certificate, node->certificate).has_value());
  CHECK(!verify_with_authority(forged->certificate, authority.files().certificate).has_value());
}

TEST_CASE("the CA's own certificate names no node") {
  auto identity = identity_of(new_authority().files().certificate);
  REQUIRE(!identity);
  CHECK(identity.error().code == identity_errc::nameless);
}

TEST_CASE("a signature is good for its bytes and its certificate only") {
  const auto authority = new_authority();
  auto one = authority.issue(request_of({node_role::host}));
  auto two = authority.issue(request_of({node_role::host}));
  REQUIRE(one.has_value());
  REQUIRE(two.has_value());
  auto signature = sign(one->key, bytes_of("a challenge"));
  REQUIRE(signature.has_value());
  CHECK(verify(one->certificate, bytes_of("a challenge"), *signature).has_value());
  CHECK(!verify(one->certificate, bytes_of("a challengf"), *signature).has_value());
  CHECK(!verify(two->certificate, bytes_of("a challenge"), *signature).has_value());
  signature->at(signature->size() / 2) ^= std::byte{1};
  CHECK(!verify(one->certificate, bytes_of("a challenge"), *signature).has_value());
  CHECK(!verify(one->certificate, bytes_of("a challenge"), {}).has_value());
}

TEST_CASE("garbage is malformed, however large") {
  for (const auto& text : {std::string{}, std::string{"-----BEGIN CERTIFICATE-----\nAAAA\n"},
                           std::string(200'000, 'A')}) {
    CHECK(identity_of(text).error().code == identity_errc::malformed);
    CHECK(sign(text, bytes_of("x")).error().code == identity_errc::malformed);
    CHECK(verify(text, bytes_of("x"), bytes_of("x")).error().code == identity_errc::malformed);
  }
}

TEST_CASE("a certificate from the network is refused unread when it is larger than one may be") {
  auto pair = new_authority().issue(request_of({node_role::host}));
  REQUIRE(pair.has_value());
  CHECK(identity_of(pair->certificate + std::string(10'000, '\n')).has_value());
  CHECK(identity_of(pair->certificate + std::string(100'000, '\n')).error().code
        == identity_errc::malformed);
}

TEST_CASE("a cluster's files are its owner's only, and its token is known by its hash") {
  folder_of_test folder;
  const auto cluster = folder.path / "cluster";
  auto made = init_cluster(cluster, development_nodes());
  REQUIRE(made.has_value());
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{cluster}) {
    struct stat facts {};
    REQUIRE(::stat(entry.path().c_str(), &facts) == 0);
    CHECK((facts.st_mode & 07777) == 0600);
    ++files;
  }
  CHECK(files == 12);
  auto tokens = read_token_file(cluster / "tokens");
  REQUIRE(tokens.has_value());
  auto table = token_table::make(*tokens);
  REQUIRE(table.has_value());
  auto token = content(cluster / "admin-token");
  token.pop_back();
  CHECK(token.size() == 64);
  CHECK(table->principal("Bearer " + token) == "admin");
  CHECK(read_cluster_id(cluster / "cluster-id").has_value());
}

TEST_CASE("keys are never overwritten") {
  folder_of_test folder;
  REQUIRE(init_cluster(folder.path, development_nodes()).has_value());
  const auto before = content(folder.path / "ca.key");
  auto again = init_cluster(folder.path, development_nodes());
  REQUIRE(!again);
  CHECK(again.error().message.find("is not empty") != std::string::npos);
  CHECK(!write_secret_file(folder.path / "ca.key", "other").has_value());
  CHECK(content(folder.path / "ca.key") == before);
}

TEST_CASE("a node that joins later gets a pair of the same CA") {
  folder_of_test folder;
  REQUIRE(init_cluster(folder.path, development_nodes()).has_value());
  REQUIRE(add_cluster_node(folder.path, {"node-4", {node_role::host}, {"10.0.0.4"}}).has_value());
  CHECK(verify_with_authority(content(folder.path / "node-4.pem"), content(folder.path / "ca.pem"))
            .has_value());
}

TEST_CASE("a node's certificate is checked before it starts") {
  folder_of_test folder;
  const auto at = [&](const std::string& name) { return folder.path / name; };
  REQUIRE(init_cluster(folder.path, development_nodes()).has_value());
  node_config config;
  config.roles = {node_role::host};
  config.tls = {at("node-2.pem"), at("node-2.key"), at("ca.pem")};
  auto identity = check_own_certificate(config);
  REQUIRE(identity.has_value());

  SUBCASE("a missing file is named") {
    config.tls.certificate = at("nothing.pem");
    CHECK(check_own_certificate(config).error().message.find("nothing.pem") != std::string::npos);
  }
  SUBCASE("another node's key doesn't fit") {
    config.tls.key = at("node-3.key");
    CHECK(check_own_certificate(config).error().message.find("not the certificate's")
          != std::string::npos);
  }
  SUBCASE("a role must be in the certificate") {
    config.roles = {node_role::controller};
    CHECK(check_own_certificate(config).error().message.find("doesn't allow the role controller")
          != std::string::npos);
  }
  SUBCASE("a configured uuid must be the certificate's") {
    config.id.value = random_uuid();
    CHECK(check_own_certificate(config).error().message.find("belongs to node")
          != std::string::npos);
  }
  SUBCASE("another cluster's CA doesn't vouch for it") {
    REQUIRE(init_cluster(at("other"), development_nodes()).has_value());
    config.tls.authority = at("other") / "ca.pem";
    CHECK(check_own_certificate(config).error().message.find("not signed by the cluster's CA")
          != std::string::npos);
  }
}

TEST_CASE("a planned node is read from one option") {
  auto node = parse_planned_node("name=n-1,roles=controller+host,address=10.0.0.1");
  REQUIRE(node.has_value());
  CHECK(*node == planned_node{"n-1", {node_role::controller, node_role::host}, {"10.0.0.1"}});
  for (const auto* wrong :
       {"", "name=n", "roles=host", "name=../n,roles=host", "name=n,roles=hots",
        "name=n,roles=host,adress=1", "name=n,roles=host,address=x;DNS:y", "name=-n,roles=host"})
    CHECK(!parse_planned_node(wrong).has_value());
}
