#include "messages/codec.hpp"
#include "messages/schema/records.capnp.h"
#include "tests/unit/messages/random_messages.hpp"

#include <capnp/serialize.h>
#include <cstring>
#include <doctest/doctest.h>
#include <typeinfo>

using namespace novacron;

namespace {

constexpr uint64_t seed = 20'240'601;

template <class T>
void check_round_trip(random_messages& random) {
  auto x = random.make<T>();
  auto bytes = encode(x);
  auto back = decode<T>(bytes);
  INFO("a ", typeid(T).name(), " of ", bytes.size(), " bytes");
  REQUIRE(back.has_value());
  CHECK(*back == x);
}

template <class T>
codec_errc refusal(std::span<const std::byte> bytes) {
  auto x = decode<T>(bytes);
  REQUIRE(!x.has_value());
  REQUIRE(x.error().code.category() == codec_category());
  CHECK(!x.error().message.empty());
  return static_cast<codec_errc>(x.error().code.value());
}

/// What a reader must survive: an answer, whichever. Sanitizers watch.
template <class T>
void read_anything(std::span<const std::byte> bytes) {
  auto x = decode<T>(bytes);
  if (!x)
    return;
  auto again = decode<T>(encode(*x));
  REQUIRE(again.has_value());
  CHECK(*again == *x);
}

/// A 64-bit word of an encoded message.
void put_word(std::vector<std::byte>& bytes, size_t index, uint64_t value) {
  std::memcpy(&bytes.at(index * 8), &value, sizeof value);
}

} // namespace

TEST_CASE("what was encoded decodes to the same") {
  random_messages random{seed};
  for (int i = 0; i < 200; ++i)
    for_each_carried([&](const auto& x) { check_round_trip<std::decay_t<decltype(x)>>(random); });
}

TEST_CASE("equal messages have equal bytes, however they came about") {
  for_each_carried([](const auto& x) {
    using type = std::decay_t<decltype(x)>;
    auto bytes = encode(random_messages{seed}.make<type>());
    CHECK(bytes == encode(random_messages{seed}.make<type>()));
    CHECK(bytes == encode(decode<type>(bytes).value()));
  });
}

TEST_CASE("each body of a command and each record of the feed survives") {
  random_messages random{seed};
  size_t bodies = 0;
  size_t records = 0;
  for (int i = 0; i < 300; ++i) {
    auto body = random.make<command>();
    bodies |= size_t{1} << body.body.index();
    CHECK(decode<command>(encode(body)).value().body == body.body);
    auto record = random.make<stored_record>();
    records |= size_t{1} << record.record.index();
    CHECK(decode<stored_record>(encode(record)).value().record == record.record);
  }
  CHECK(bodies == (size_t{1} << std::variant_size_v<command_body>)-1);
  CHECK(records == (size_t{1} << std::variant_size_v<any_record>)-1);
}

TEST_CASE("a VM that was written before there were restarts has had none") {
  random_messages random{seed};
  auto vm = random.make<vm_record>();
  vm.restarts.count = 7;
  auto bytes = encode(stored_record{vm});
  // Segment table, pointer to the root, its union's tag, pointer to the VM:
  // whose upper 16 bits say how many pointers it has. The last is new.
  uint64_t pointer = 0;
  std::memcpy(&pointer, &bytes.at(3 * 8), sizeof pointer);
  REQUIRE((pointer >> 48) == 11);
  put_word(bytes, 3, pointer - (uint64_t{1} << 48));
  vm.restarts = {};
  CHECK(std::get<vm_record>(decode<stored_record>(bytes).value().record) == vm);
}

TEST_CASE("a message may lie at any address") {
  random_messages random{seed};
  auto x = random.make<command_batch>();
  auto bytes = encode(x);
  for (size_t shift = 0; shift < 8; ++shift) {
    std::vector<std::byte> room(bytes.size() + 8);
    std::copy(bytes.begin(), bytes.end(), room.begin() + static_cast<ptrdiff_t>(shift));
    CHECK(decode<command_batch>({room.data() + shift, bytes.size()}).value() == x);
  }
}

TEST_CASE("texts are bytes: zeros and broken UTF-8 pass") {
  kill_actor x;
  x.path = std::string{"vm\0\xff\xfe\xc0\x80", 7};
  CHECK(decode<kill_actor>(encode(x)).value().path == x.path);
}

TEST_CASE("nothing is no message") {
  for_each_carried([](const auto& x) {
    CHECK(refusal<std::decay_t<decltype(x)>>({}) == codec_errc::malformed);
  });
}

TEST_CASE("a message that was cut anywhere is refused") {
  random_messages random{seed};
  for_each_carried([&](const auto& x) {
    using type = std::decay_t<decltype(x)>;
    auto bytes = encode(random.make<type>());
    for (size_t size = 0; size < bytes.size(); ++size)
      CHECK(refusal<type>({bytes.data(), size}) == codec_errc::malformed);
  });
}

TEST_CASE("a message with something behind it is refused") {
  auto bytes = encode(feed_filter{});
  bytes.resize(bytes.size() + 8);
  CHECK(refusal<feed_filter>(bytes) == codec_errc::malformed);
}

TEST_CASE("a message beyond the bound is refused, one at the bound is read") {
  migration_performed x;
  x.cookie.resize(max_encoded_bytes);
  x.cookie.resize(max_encoded_bytes - (encode(x).size() - max_encoded_bytes));
  auto bytes = encode(x);
  REQUIRE(bytes.size() == max_encoded_bytes);
  CHECK(decode<migration_performed>(bytes).value() == x);
  x.cookie.resize(x.cookie.size() + 8);
  CHECK(refusal<migration_performed>(encode(x)) == codec_errc::too_large);
}

TEST_CASE("an enumeration's value that we don't know is refused") {
  command x{request_state{}, {}};
  std::get<request_state>(x.body).requested = static_cast<requested_state>(4);
  CHECK(refusal<command>(encode(x)) == codec_errc::out_of_range);
  command_outcome y;
  y.error = static_cast<command_errc>(names<command_errc>::words.size());
  CHECK(refusal<command_outcome>(encode(y)) == codec_errc::out_of_range);
}

TEST_CASE("a kind of command or record that we don't know is refused") {
  auto bytes = encode(command{barrier{}, {}});
  REQUIRE(decode<command>(bytes).has_value());
  for (uint64_t kind : {uint64_t{0}, uint64_t{std::variant_size_v<command_body> + 1}}) {
    put_word(bytes, 2, kind); // the root's only word of data: which member of the union
    CHECK(refusal<command>(bytes) == codec_errc::out_of_range);
  }
  bytes = encode(stored_record{});
  put_word(bytes, 2, std::variant_size_v<any_record> + 1);
  CHECK(refusal<stored_record>(bytes) == codec_errc::out_of_range);
}

TEST_CASE("a change's canonical form doesn't show fields that a later schema has and nobody set") {
  vm_record vm;
  vm.name = "web-1";
  vm.reason = "no reason";
  const change x{7, vm, false};
  const auto bytes = encode(x);
  auto word = [](const std::vector<std::byte>& in, size_t index) {
    uint64_t value = 0;
    std::memcpy(&value, in.data() + 8 * index, 8);
    return value;
  };
  // As a later schema's writer would: one word more in the root, zero, behind those of ours.
  auto grown = bytes;
  const auto data_words = word(bytes, 1) >> 32 & 0xffff;
  grown.insert(grown.begin() + static_cast<std::ptrdiff_t>(8 * (2 + data_words)), 8, std::byte{0});
  put_word(grown, 0, word(bytes, 0) + (uint64_t{1} << 32));
  put_word(grown, 1, word(bytes, 1) + (uint64_t{1} << 32));
  REQUIRE(decode<change>(grown).value() == x);
  CHECK(canonical_form(grown) == canonical_form(bytes));
  vm.reason = "another one";
  CHECK(canonical_form(encode(change{7, vm, false})) != canonical_form(bytes));
}

TEST_CASE("a command knows the first cluster version that has it") {
  create_vm create;
  CHECK(least_version(create) == 1);
  create.spec.networks = {"lan"};
  CHECK(least_version(create) == 8);
  CHECK(least_version(wish_member{}) == 3);
  CHECK(least_version(compare_states{}) == 4);
  CHECK(least_version(confirm_inventory{}) == 5);
  reserve_migration move;
  CHECK(least_version(move) == 1);
  move.terms.time_limit = std::chrono::seconds{60};
  CHECK(least_version(move) == 6);
  move.terms.tries = 2;
  CHECK(least_version(move) == 9);
  decide_migration abort; // hosts mustn't wait for others to be upgraded
  abort.may_pass = true;
  CHECK(least_version(abort) == 1);
}

TEST_CASE("a time that arithmetic could overflow is refused") {
  lease_record x;
  x.granted = log_time{std::chrono::milliseconds::max()};
  CHECK(refusal<lease_record>(encode(x)) == codec_errc::out_of_range);
  x.granted = {};
  x.term = std::chrono::milliseconds::min();
  CHECK(refusal<lease_record>(encode(x)) == codec_errc::out_of_range);
}

TEST_CASE("an empty root is neither a command nor a record nor a token") {
  std::vector<std::byte> bytes(16);
  put_word(bytes, 0, uint64_t{1} << 32); // one segment of one word: a null pointer
  CHECK(refusal<command>(bytes) == codec_errc::out_of_range);
  CHECK(refusal<stored_record>(bytes) == codec_errc::out_of_range);
  CHECK(refusal<migration_prepared>(bytes) == codec_errc::out_of_range);
  CHECK(decode<feed_filter>(bytes).value().host.nil());
}

TEST_CASE("a list that announces more than was sent takes no memory") {
  // proposal: one pointer, to a list of 2^28 structs without any content.
  std::vector<std::byte> bytes(32);
  put_word(bytes, 0, uint64_t{3} << 32);               // one segment of three words
  put_word(bytes, 1, uint64_t{1} << 48);               // root: no data, one pointer
  put_word(bytes, 2, uint64_t{1} | uint64_t{7} << 32); // list of structs, zero words
  put_word(bytes, 3, uint64_t{1} << 30);               // 2^28 elements of zero words
  CHECK(!decode<proposal>(bytes).has_value());
}

TEST_CASE("a list of narrow elements is bounded by what was sent") {
  constexpr uint64_t elements = 1000; // of one word each; a command has three
  std::vector<std::byte> bytes(8 * (4 + elements));
  put_word(bytes, 0, (3 + elements) << 32);
  put_word(bytes, 1, uint64_t{1} << 48);
  put_word(bytes, 2, uint64_t{1} | uint64_t{7} << 32 | elements << 35);
  put_word(bytes, 3, elements << 2 | uint64_t{1} << 32); // one word of data each
  CHECK(refusal<outcomes>(bytes) == codec_errc::out_of_range);
}

TEST_CASE("no mutation of a message harms its reader") {
  random_messages random{seed};
  for_each_carried([&](const auto& x) {
    using type = std::decay_t<decltype(x)>;
    for (int message = 0; message < 8; ++message) {
      auto good = encode(random.make<type>());
      for (int mutation = 0; mutation < 400; ++mutation) {
        auto bytes = good;
        for (auto flips = 1 + random.up_to(3); flips > 0; --flips)
          bytes[random.up_to(bytes.size() - 1)] ^= static_cast<std::byte>(1 << random.up_to(7));
        if (random.up_to(7) == 0)
          bytes.resize(random.up_to(bytes.size() / 8) * 8);
        read_anything<type>(bytes);
      }
    }
  });
}

TEST_CASE("random words harm no reader") {
  random_messages random{seed};
  for_each_carried([&](const auto& x) {
    using type = std::decay_t<decltype(x)>;
    for (int i = 0; i < 500; ++i) {
      std::vector<std::byte> bytes(8 * (1 + random.up_to(40)));
      for (auto& b : bytes)
        random.fill(b);
      put_word(bytes, 0, (bytes.size() / 8 - 1) << 32); // else the segment table refuses it all
      read_anything<type>(bytes);
    }
  });
}

TEST_CASE("one type's message read as another's harms nobody") {
  random_messages random{seed};
  for_each_carried([&](const auto& x) {
    auto bytes = encode(random.make<std::decay_t<decltype(x)>>());
    for_each_carried([&](const auto& y) { read_anything<std::decay_t<decltype(y)>>(bytes); });
  });
}

TEST_CASE("a reader from before evacuations takes one for a drain, and goes on") {
  task_record task;
  task.kind = task_kind::evacuation;
  const auto bytes = encode(stored_record{task});
  std::vector<capnp::word> words(bytes.size() / sizeof(capnp::word));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  capnp::FlatArrayMessageReader message{{words.data(), words.size()}};
  CHECK(message.getRoot<schema::Record>().getTask().getKind() == schema::TaskKind::DRAIN);
  CHECK(decode<stored_record>(bytes).value().record == any_record{task});
}

TEST_CASE("only a wish that evacuates needs a cluster that knows evacuations") {
  maintain_host wish;
  CHECK(least_version(wish) == 3);
  wish.wish = maintenance_wish::evacuate;
  CHECK(least_version(wish) == 6);
  CHECK(least_version(fence_host{{}, {{1, 2}}}) == 3);
}
