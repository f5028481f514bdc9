#include "messages/carrier.hpp"
#include "messages/type_ids.hpp"
#include "tests/unit/messages/random_messages.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/message.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>
#include <doctest/doctest.h>
#include <set>

using namespace novacron;

namespace {

constexpr uint64_t seed = 7;

struct one_system {
  struct config : caf::actor_system_config {
    config() {
      add_message_types<caf::id_block::novacron>();
      set("scheduler.max-threads", 1u);
    }
  };

  config cfg;
  caf::actor_system system{cfg};

  template <class T>
  std::vector<char> save(T x) {
    std::vector<char> bytes;
    caf::binary_serializer sink{system, bytes};
    auto error = sink(x);
    INFO(system.render(error));
    REQUIRE(!error);
    return bytes;
  }

  template <class T>
  caf::error load(const std::vector<char>& bytes, T& x) {
    caf::binary_deserializer source{system, bytes};
    return source(x);
  }
};

template <long First, long... Rest, class F>
void for_each_type_id(caf::detail::int_list<First, Rest...>, F f) {
  f(typename caf::type_by_id<First>::type{}, std::string{caf::type_name_by_id<First>::value});
  if constexpr (sizeof...(Rest) > 0)
    for_each_type_id(caf::detail::int_list<Rest...>{}, f);
}

template <class F>
void for_each_registered(F f) {
  using block = caf::id_block::novacron;
  for_each_type_id(typename caf::detail::il_range<block::begin, block::end>::type{}, f);
}

} // namespace

TEST_CASE_FIXTURE(one_system, "every carried type passes through CAF's serialiser") {
  random_messages random{seed};
  for_each_carried([&](const auto& type) {
    for (int i = 0; i < 20; ++i) {
      auto x = random.make<std::decay_t<decltype(type)>>();
      std::decay_t<decltype(type)> back;
      CHECK(!load(save(x), back));
      CHECK(back == x);
    }
  });
}

TEST_CASE_FIXTURE(one_system, "on the wire a message is its length and the bytes of the disk") {
  random_messages random{seed};
  auto x = random.make<proposal>();
  auto stored = encode(x);
  auto sent = save(x);
  REQUIRE(sent.size() == 4 + stored.size());
  CHECK(std::equal(stored.begin(), stored.end(), sent.begin() + 4,
                   [](std::byte a, char b) { return a == static_cast<std::byte>(b); }));
}

TEST_CASE_FIXTURE(one_system, "every registered type passes inside a message") {
  random_messages random{seed};
  for_each_registered([&](auto x, const std::string& name) {
    INFO(name);
    random.fill(x);
    caf::message back;
    CHECK(!load(save(caf::make_message(x)), back));
    REQUIRE(back.match_elements<decltype(x)>());
    CHECK(back.get_as<decltype(x)>(0) == x);
  });
}

TEST_CASE("the names on the wire are these, for ever") {
  std::set<std::string> found;
  for_each_registered([&](const auto&, const std::string& name) { found.insert(name); });
  std::set<std::string> promised{"novacron::actor_tree",
                                 "novacron::actor_tree_request",
                                 "novacron::boot_id",
                                 "novacron::cluster_id",
                                 "novacron::epoch",
                                 "novacron::feed_changes",
                                 "novacron::feed_listing",
                                 "novacron::group_status",
                                 "novacron::group_status_request",
                                 "novacron::hello",
                                 "novacron::hello_challenge",
                                 "novacron::hello_challenge_request",
                                 "novacron::kill_actor",
                                 "novacron::list_request",
                                 "novacron::migration_id",
                                 "novacron::migration_performed",
                                 "novacron::migration_prepared",
                                 "novacron::migration_progress",
                                 "novacron::node_id",
                                 "novacron::operation_id",
                                 "novacron::outcomes",
                                 "novacron::prepare_migration",
                                 "novacron::proposal",
                                 "novacron::pull_request",
                                 "novacron::replica_message",
                                 "novacron::replica_message_taken",
                                 "novacron::snapshot_chunk",
                                 "novacron::snapshot_chunk_request",
                                 "novacron::vm_id",
                                 "novacron::welcome"};
  CHECK(found == promised);
}

TEST_CASE_FIXTURE(one_system, "a length beyond the bound is refused before it is believed") {
  std::vector<char> bytes;
  caf::binary_serializer sink{system, bytes};
  uint32_t announced = max_encoded_bytes + 8;
  REQUIRE(!sink(announced));
  bytes.resize(4 + announced);
  proposal x;
  auto error = load(bytes, x);
  CHECK(error == caf::sec::invalid_argument);
  CHECK(system.render(error).find("announces 4194312 bytes") != std::string::npos);
}

TEST_CASE_FIXTURE(one_system, "a message beyond the bound is not sent") {
  migration_performed x;
  x.cookie.resize(max_encoded_bytes);
  std::vector<char> bytes;
  caf::binary_serializer sink{system, bytes};
  CHECK(sink(x) == caf::sec::invalid_argument);
  CHECK(bytes.empty());
}

TEST_CASE_FIXTURE(one_system, "bytes that don't decode are an error and leave the message alone") {
  kill_actor good{{}, "host"};
  auto bytes = save(good);
  bytes[8] = '\x7f'; // the segment's size
  kill_actor x{{}, "before"};
  CHECK(load(bytes, x) == caf::sec::invalid_argument);
  CHECK(x.path == "before");
}

TEST_CASE_FIXTURE(one_system, "a message that ends early is an error") {
  random_messages random{seed};
  auto bytes = save(random.make<hello>());
  for (size_t size = 0; size < bytes.size(); ++size) {
    hello x;
    CHECK(load(std::vector<char>(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size)), x));
  }
}

TEST_CASE_FIXTURE(one_system, "inside a process nothing is encoded") {
  kill_actor x;
  x.path.resize(max_encoded_bytes + 1); // can't be encoded, so it wasn't
  caf::scoped_actor self{system};
  self->send(self, x);
  self->receive([&](const kill_actor& y) { CHECK(y == x); },
                caf::after(std::chrono::seconds{5}) >> [] { FAIL("nothing came"); });
}

TEST_CASE("what logs say of a message names it and keeps its secrets") {
  const std::string secret = "open-sesame";
  migration_prepared prepared;
  prepared.page_address = "127.0.0.1:7700";
  prepared.cookie = secret;
  std::memcpy(prepared.token.data(), secret.data(), secret.size());
  hello greeting;
  greeting.name = "node-2";
  greeting.certificate = secret;
  for (char c : secret)
    greeting.signature.push_back(static_cast<std::byte>(c));
  auto text = caf::deep_to_string(caf::make_message(prepared, greeting));
  CHECK(text.find("migration_prepared") != std::string::npos);
  CHECK(text.find("127.0.0.1:7700") != std::string::npos);
  CHECK(text.find("node-2") != std::string::npos);
  CHECK(text.find(secret) == std::string::npos);
  CHECK(caf::deep_to_string(proposal{{command{}, command{}}}) == "proposal(2 commands)");
}
