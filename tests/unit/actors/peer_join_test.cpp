#include "actors/peer/join.hpp"
#include "tests/unit/actors/test_authority.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

constexpr token_id token_name{{3, 3}};

/// A token of a cluster, and what a node asks with it.
struct joining {
  test_authority authority;
  join_token token = draw_join_token(token_name, authority.certificate()).value();
  test_authority::pair own = authority.issue({{0, 4}}, {node_role::controller});
  join_request request{token_name, {{0, 4}}, "node-4", "127.0.0.1:7104", "the public key"};

  [[nodiscard]] join_answer answer() const {
    return {own.certificate, authority.certificate(), "the cluster", {"127.0.0.1:7101"}};
  }
  [[nodiscard]] result<void> check(const join_answer& given, const test_authority& signer) const {
    auto signature = sign(signer.key(), given.text(request));
    REQUIRE(signature.has_value());
    return check_answer(token, request, given, own.key, *signature);
  }
};

} // namespace

TEST_CASE_FIXTURE(joining, "a token's text is the token, and nothing else is") {
  const auto text = to_text(token);
  auto read = parse_join_token(text);
  REQUIRE(read.has_value());
  CHECK(*read == token);
  for (const auto& bad : {std::string{}, std::string{"novacron-join-1."}, text.substr(1),
                          text + "00", text.substr(0, text.size() - 1), text + ".x"})
    CHECK(!parse_join_token(bad).has_value());
  CHECK(!draw_join_token(token_name, "no certificate").has_value());
}

TEST_CASE_FIXTURE(joining, "only the token signs for itself, and only what was asked") {
  const auto key = public_key_of(token);
  auto signature = sign_join(token, request);
  REQUIRE(signature.has_value());
  CHECK(verify_join(key, request, *signature).has_value());
  for (auto change : std::vector<std::function<void(join_request&)>>{
           [](auto& x) {
             x.node = {{0, 5}};
           },
           [](auto& x) { x.name = "other"; }, [](auto& x) { x.mesh_address = "127.0.0.1:1"; },
           [](auto& x) { x.public_key = "mine"; },
           [](auto& x) {
             x.token = {{3, 4}};
           }}) {
    auto other = request;
    change(other);
    CHECK(!verify_join(key, other, *signature).has_value());
  }
  auto stranger = draw_join_token(token_name, authority.certificate()).value();
  CHECK(!verify_join(public_key_of(stranger), request, *signature).has_value());
  // What the log holds is not the token.
  auto thief = token;
  thief.secret = key;
  CHECK(!verify_join(key, request, *sign_join(thief, request)).has_value());
}

TEST_CASE_FIXTURE(joining, "the answer is the cluster's that the token names, or it isn't taken") {
  CHECK(check(answer(), authority).has_value());
  test_authority impostor;
  auto theirs = answer();
  theirs.authority = impostor.certificate();
  theirs.certificate = impostor.issue({{0, 4}}, {node_role::controller}).certificate;
  auto refused = check(theirs, impostor);
  REQUIRE(!refused);
  CHECK(refused.error().message.find("not of the cluster that the token is for")
        != std::string::npos);
  CHECK(check(answer(), impostor).error().code == identity_errc::forged);
}

TEST_CASE_FIXTURE(joining, "a certificate for another node or another key isn't taken") {
  auto other_node = answer();
  other_node.certificate = authority.issue({{0, 5}}, {node_role::controller}).certificate;
  CHECK(!check(other_node, authority));
  auto other_key = answer();
  other_key.certificate = authority.issue({{0, 4}}, {node_role::controller}).certificate;
  CHECK(!check(other_key, authority));
  request.node = {{0, 5}}; // and was answered with ours
  CHECK(!check(answer(), authority));
  request.node = {{0, 4}};
  auto unsigned_controllers = answer();
  auto signature = sign(authority.key(), unsigned_controllers.text(request));
  unsigned_controllers.controllers = {"127.0.0.1:666"};
  CHECK(!check_answer(token, request, unsigned_controllers, own.key, *signature));
}
