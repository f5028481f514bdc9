#include "actors/gateway/problem.hpp"
#include "actors/gateway/tokens.hpp"
#include "messages/names.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
namespace json = boost::json;

namespace {

problem refused(command_errc error, std::string detail = "why") {
  command_outcome outcome;
  outcome.error = error;
  outcome.detail = std::move(detail);
  return problem_of(outcome);
}

} // namespace

TEST_CASE("each refusal has its status") {
  const std::vector<std::pair<command_errc, unsigned>> table{
      {command_errc::unknown_vm, 404},
      {command_errc::unknown_host, 404},
      {command_errc::unknown_migration, 404},
      {command_errc::name_taken, 409},
      {command_errc::vm_deleted, 409},
      {command_errc::wrong_state, 409},
      {command_errc::no_capacity, 409},
      {command_errc::same_host, 422},
      {command_errc::migration_in_progress, 409},
      {command_errc::already_decided, 409},
      {command_errc::revision_mismatch, 412},
      {command_errc::key_reused, 422},
      {command_errc::overloaded, 503},
      {command_errc::not_leader, 503},
      {command_errc::unknown_outcome, 503},
      {command_errc::stale_epoch, 500},
      {command_errc::stale_report, 500},
      {command_errc::stale_lease, 500}};
  for (auto [error, status] : table) {
    CAPTURE(to_string(error));
    CHECK(refused(error).status == status);
    CHECK(refused(error).code == to_string(error));
  }
}

TEST_CASE("a refusal says what the log said, or at least what to do") {
  CHECK(refused(command_errc::no_capacity, "host node-2: needs 4096 MiB, 1200 MiB free").detail
        == "host node-2: needs 4096 MiB, 1200 MiB free");
  for (int code = 1; code < static_cast<int>(words_of<command_errc>().size()); ++code)
    CHECK(!refused(static_cast<command_errc>(code), "").detail.empty());
}

TEST_CASE("an unknown outcome tells to repeat with the same key") {
  CHECK(refused(command_errc::unknown_outcome).detail.find("repeat with the same Idempotency-Key")
        != std::string::npos);
  CHECK(outcome_unknown().status == 503);
}

TEST_CASE("a problem document is RFC 9457's") {
  auto shown = json::parse(to_json(bad_field("/name", "a \"bad\" name"))).as_object();
  CHECK(shown.at("type").as_string() == "urn:novacron:problem:bad_field");
  CHECK(shown.at("title").as_string() == "Bad input");
  CHECK(shown.at("status").as_int64() == 400);
  CHECK(shown.at("detail").as_string() == "a \"bad\" name");
  CHECK(shown.at("field").as_string() == "/name");
  CHECK(!json::parse(to_json(unauthorized())).as_object().contains("allow"));
}

TEST_CASE("a token is known by its SHA-256") {
  auto tokens = token_table::make({{"ann", sha256_hex("first")}, {"bob", sha256_hex("second")}});
  REQUIRE(tokens.has_value());
  CHECK(tokens->principal("Bearer second") == "bob");
  CHECK(tokens->principal("bearer first") == "ann");
  CHECK(!tokens->principal("Bearer third"));
  CHECK(!tokens->principal("Bearer "));
  CHECK(!tokens->principal("first"));
  CHECK(!tokens->principal("Basic first"));
  CHECK(!tokens->principal(""));
}

TEST_CASE("SHA-256 is SHA-256") {
  // FIPS 180-4, example of a one-block message.
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a malformed hash in the configuration is refused by its principal's name") {
  auto tokens = token_table::make({{"ann", "abc"}});
  REQUIRE(!tokens);
  CHECK(tokens.error().message.find("ann") != std::string::npos);
  CHECK(!token_table::make({{"", sha256_hex("x")}}));
}

TEST_CASE("a body's digest keeps its parts apart") {
  const std::array<std::string_view, 2> one{"ab", "c"};
  const std::array<std::string_view, 2> other{"a", "bc"};
  CHECK(digest_of(one) != digest_of(other));
  CHECK(digest_of(one) == digest_of(one));
}
