#include "actors/peer/identity.hpp"
#include "cli_server.hpp"
#include "runtime/certificates/authority.hpp"
#include "runtime/certificates/join_signing.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/cli/join_commands.hpp"
#include "runtime/cli/render.hpp"
#include "tests/power_cut/power_cut.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace novacron;

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// A node that joins a cluster whose gateway is a few lines around the real desk.
struct joining {
  fs::path folder;
  node_config gateway;
  std::optional<join_desk> desk;
  std::vector<node_role> roles{node_role::controller, node_role::host};
  bool lies = false; ///< the gateway changes what the CA has signed
  cli_server server{[this](const std::string& line, const std::string& request) {
    return line == "POST /api/v1/join" ? answer(request) : cli_server::answer{404, "{}"};
  }};

  joining() {
    auto pattern = (fs::temp_directory_path() / "novacron-join-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    gateway.cluster = {{7, 7}};
    gateway.tls.authority = folder / "ca.pem";
    gateway.gateway.emplace().authority_key = folder / "ca.key";
    auto ca = certificate_authority::make(gateway.cluster);
    REQUIRE(ca.has_value());
    REQUIRE(write_secret_file(folder / "ca.pem", ca->files().certificate).has_value());
    REQUIRE(write_secret_file(folder / "ca.key", ca->files().key).has_value());
    gateway.mesh.controllers = {{"127.0.0.1", 7101}};
    auto made = make_join_desk(gateway, std::make_shared<node_roster>());
    REQUIRE(made.has_value());
    desk = *made;
  }
  ~joining() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }

  cli_server::answer answer(const std::string& request) {
    const auto body = json::parse(request.substr(request.find("\r\n\r\n") + 4));
    join_request asked{{*parse_uuid(field_text(body, "token"))},
                       {*parse_uuid(field_text(body, "node"))},
                       field_text(body, "name"),
                       field_text(body, "mesh_address"),
                       field_text(body, "public_key")};
    auto given = desk->sign(asked, roles);
    if (!given)
      return {500, "{}"};
    json::array controllers{lies ? "127.0.0.1:666" : "127.0.0.1:7101"};
    return {200, json::serialize(json::object{{"certificate", given->answer.certificate},
                                              {"authority", given->answer.authority},
                                              {"cluster", given->answer.cluster},
                                              {"controllers", controllers},
                                              {"signature", hex_of(given->signature)}})};
  }

  join_plan plan() {
    auto token = draw_join_token({{3, 3}}, desk->authority);
    REQUIRE(token.has_value());
    join_plan out;
    out.url = server.url;
    out.token = to_text(*token);
    out.name = "node-4";
    out.folder = folder / "new";
    out.mesh = "127.0.0.1:7104";
    return out;
  }
};

} // namespace

TEST_CASE_FIXTURE(joining, "a node that joins gets all that it starts from") {
  auto wish = plan();
  wish.pages = "127.0.0.1:7114";
  auto file = join_cluster(wish);
  REQUIRE_MESSAGE(file.has_value(), file.error().message);
  auto config = load_config(*file);
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  CHECK(config->name == "node-4");
  CHECK(config->controller.joined);
  CHECK(config->roles == std::vector{node_role::controller, node_role::host});
  CHECK(config->mesh.controllers == std::vector{address{"127.0.0.1", 7101}});
  auto certificate = read_small_file(config->tls.certificate, "certificate");
  REQUIRE(certificate.has_value());
  CHECK(identity_of(*certificate)->roles == roles);
  auto key = read_small_file(config->tls.key, "key");
  CHECK(verify_key(*certificate, *key).has_value());
  CHECK((fs::status(config->tls.key).permissions() & fs::perms::others_all) == fs::perms::none);
  CHECK(server.requests().at(0).find("PRIVATE KEY") == std::string::npos);
}

TEST_CASE_FIXTURE(joining, "a node may join at a name that reads like hexadecimal digits") {
  auto wish = plan();
  wish.mesh = "cafe.de:7104";
  auto file = join_cluster(wish);
  CHECK_MESSAGE(file.has_value(), file.error().message);
}

TEST_CASE_FIXTURE(joining, "an answer that isn't the cluster's own is not taken") {
  lies = true;
  auto refused = join_cluster(plan());
  REQUIRE(!refused);
  CHECK(!fs::exists(folder / "new" / "cluster" / "node-4.pem"));
  lies = false;
  auto wish = plan();
  wish.token.back() = wish.token.back() == '0' ? '1' : '0'; // another CA's fingerprint
  auto stranger = join_cluster(wish);
  REQUIRE(!stranger);
  CHECK(stranger.error().message.find("not of the cluster") != std::string::npos);
  // Asked again, it is the same node with the same key.
  REQUIRE(join_cluster(plan()).has_value());
  auto node_in = [&](size_t i) {
    const auto request = server.requests().at(i);
    return field_text(json::parse(request.substr(request.find("\r\n\r\n") + 4)), "node");
  };
  CHECK(node_in(0) == node_in(2));
}

TEST_CASE_FIXTURE(joining, "two nodes may join into one folder, of one cluster") {
  REQUIRE(join_cluster(plan()).has_value());
  auto second = plan();
  second.name = "node-5";
  auto file = join_cluster(second);
  REQUIRE_MESSAGE(file.has_value(), file.error().message);
  CHECK(load_config(*file)->name == "node-5");
  const auto ca = folder / "new" / "cluster" / "ca.pem";
  fs::remove(ca);
  REQUIRE(write_secret_file(ca, "another cluster's").has_value());
  second.name = "node-6";
  CHECK(!join_cluster(second));
  CHECK(!fs::exists(folder / "new" / "node-6.toml"));
}

TEST_CASE_FIXTURE(joining, "a join that ended between two of its files is taken up again") {
  const auto first = folder / "new" / "cluster" / "node-4.pem";
  const auto last = folder / "new" / "node-4.toml";
  fs::create_directories(last / "in the way"); // all but the last file is written
  REQUIRE(!join_cluster(plan()));
  REQUIRE(fs::exists(first));
  fs::remove_all(last);
  auto file = join_cluster(plan());
  REQUIRE_MESSAGE(file.has_value(), file.error().message);
  auto config = load_config(*file);
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  auto certificate = read_small_file(config->tls.certificate, "certificate");
  auto key = read_small_file(config->tls.key, "key");
  CHECK(verify_key(*certificate, *key).has_value());
  CHECK(!join_cluster(plan())); // it has joined; its key is never overwritten
}

TEST_CASE_FIXTURE(joining, "what a join writes when it is taken up again outlives a power cut") {
  const auto made = folder / "new";
  const auto left = folder / "left";
  const auto certificate = fs::path{"cluster"} / "node-4.pem";
  auto content = [](const fs::path& file) {
    auto text = read_small_file(file, "a file");
    REQUIRE_MESSAGE(text.has_value(), (text ? std::string{} : text.error().message));
    return *text;
  };
  fs::create_directories(made / "node-4.toml" / "in the way");
  REQUIRE(!join_cluster(plan()));
  fs::remove_all(made / "node-4.toml");
  const auto first = content(made / certificate);
  REQUIRE(write_secret_file(made / "node-4.toml", "cut off").has_value());
  {
    power_cut power{made};
    REQUIRE(join_cluster(plan()).has_value());
    power.survivors(left);
  }
  CHECK(content(made / certificate) != first);
  CHECK(content(left / certificate) == content(made / certificate));
  CHECK(content(left / "node-4.toml") == content(made / "node-4.toml"));
}

TEST_CASE_FIXTURE(joining, "where nobody could come to is refused before the token is used") {
  for (std::string nowhere : {"0.0.0.0:7104", "[::]:7104", "127.0.0.1:0", "7104"}) {
    auto wish = plan();
    wish.mesh = nowhere;
    CHECK(!join_cluster(wish));
    wish = plan();
    wish.pages = nowhere;
    CHECK(!join_cluster(wish));
  }
  CHECK(server.requests().empty());
  CHECK(!fs::exists(folder / "new"));
}

TEST_CASE_FIXTURE(joining, "a gateway without the CA's key signs nothing") {
  gateway.gateway->authority_key.clear();
  auto made = make_join_desk(gateway, nullptr);
  REQUIRE(made.has_value());
  CHECK(!made->sign);
  gateway.gateway->authority_key = folder / "nothing";
  CHECK(!make_join_desk(gateway, nullptr).has_value());
}

TEST_CASE("a node that joins is told of the founders that are there, never of itself") {
  const std::vector<address> founders{{"127.0.0.1", 7101}, {"127.0.0.1", 7102}};
  const known_controller second{{{0, 2}}, {"127.0.0.1", 7102}};
  const known_controller fourth{{{0, 4}}, {"127.0.0.1", 7104}};
  const known_controller fifth{{{0, 5}}, {"127.0.0.1", 7105}};
  using texts = std::vector<std::string>;
  CHECK(controllers_for(founders, {}, "127.0.0.1:7105")
        == texts{"127.0.0.1:7101", "127.0.0.1:7102"});
  CHECK(controllers_for(founders, {second, fourth, fifth}, "127.0.0.1:7105")
        == texts{"127.0.0.1:7102"});
  CHECK(controllers_for(founders, {fourth, fifth}, "127.0.0.1:7105") == texts{"127.0.0.1:7104"});
}

TEST_CASE_FIXTURE(joining, "a role for which nothing is said yet is left out of the file") {
  auto text = joined_config(plan(), {node_role::controller, node_role::gateway, node_role::host},
                            {"127.0.0.1:7101"});
  CHECK(text.find("roles = [\"controller\"]") != std::string::npos);
  CHECK(text.find("[host]") == std::string::npos);
  auto wish = plan();
  wish.mesh = "nowhere";
  CHECK(join_cluster(wish).error().message.find("--mesh nowhere") != std::string::npos);
}
