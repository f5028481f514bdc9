#include "storage/consensus/guards.hpp"
#include "storage/replication/transport.hpp"
#include "storage/replication/wire.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

log_entry::bytes bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span{text});
  return {view.begin(), view.end()};
}

log_entry entry(uint64_t term, entry_kind kind, std::string_view text) {
  return {term, kind, std::make_shared<const log_entry::bytes>(bytes_of(text))};
}

raft_envelope around(raft_message_body body) {
  return {1, 2, 3, 4, 5, 6, {7, 8}, std::move(body)};
}

std::vector<raft_envelope> all_kinds() {
  append_request append{9, 8, 7, 6, {}};
  append.entries = {entry(9, entry_kind::command, "one"), entry(9, entry_kind::barrier, ""),
                    entry(9, entry_kind::configuration, "members")};
  install_request install{4, {100, 3, 90, bytes_of("members"), "reference"}};
  return {around(vote_request{5, 3, 10, 4, true, false}),
          around(vote_answer{5, true, true, 1, 2}),
          around(append),
          around(append_answer{5, 9, 8, 1, 2}),
          around(take_over{5, 10, 4}),
          around(install)};
}

} // namespace

TEST_CASE("each kind of message arrives as it was sent") {
  for (const auto& sent : all_kinds()) {
    const auto bytes = encode(sent);
    auto got = decode_envelope(bytes);
    REQUIRE(got.has_value());
    CHECK(got->body.index() == sent.body.index());
    CHECK(encode(*got) == bytes);
    CHECK(got->tag == sent.tag);
  }
  auto got = decode_envelope(encode(all_kinds()[2]));
  const auto& append = std::get<append_request>(got->body);
  REQUIRE(append.entries.size() == 3);
  CHECK(*append.entries[0].data == bytes_of("one"));
  CHECK(append.entries[2].kind == entry_kind::configuration);
}

TEST_CASE("a message that was cut, lengthened or of another version is refused") {
  for (const auto& sent : all_kinds()) {
    auto bytes = encode(sent);
    for (size_t size = 0; size < bytes.size(); ++size)
      CHECK_FALSE(decode_envelope(std::span{bytes}.first(size)).has_value());
    bytes.push_back({});
    CHECK_FALSE(decode_envelope(bytes).has_value());
    bytes.pop_back();
    bytes[0] = std::byte{99};
    CHECK_FALSE(decode_envelope(bytes).has_value());
  }
}

TEST_CASE("a replica's word arrives, also from a program that says more") {
  auto sent = around({});
  sent.word = replica_word{4, {512, 0x1234567890abcdef}};
  auto bytes = encode(sent);
  auto got = decode_envelope(bytes);
  REQUIRE(got.has_value());
  CHECK(got->word == sent.word);
  bytes.push_back(std::byte{9}); // of a field that is added later
  got = decode_envelope(bytes);
  REQUIRE(got.has_value());
  CHECK(got->word == sent.word);
  CHECK_FALSE(decode_envelope(std::span{bytes}.first(bytes.size() - 2)).has_value());
}

TEST_CASE("a kind that came later is dropped, as programs before the words drop those") {
  auto sent = around({});
  sent.word = replica_word{4, {512, 1}};
  auto bytes = encode(sent);
  bytes[bytes.size() - 21] = std::byte{7};
  CHECK_FALSE(decode_envelope(bytes).has_value());
}

TEST_CASE("messages are what programs of cluster version 3 send and read, byte for byte") {
  const std::string_view prefix{"\1\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4"
                                "\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\10",
                                57};
  const std::string_view vote{"\0\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\12"
                              "\0\0\0\0\0\0\0\4\1",
                              34};
  const auto recorded = bytes_of(std::string{prefix} + std::string{vote});
  CHECK(encode(all_kinds()[0]) == recorded);
  const auto got = decode_envelope(recorded);
  REQUIRE(got.has_value());
  CHECK(std::get<vote_request>(got->body).last_index == 10);
  const std::string_view answer{"\3\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\11\0\0\0\0\0\0\0\10\0\1\0\2", 29};
  CHECK(encode(all_kinds()[3]) == bytes_of(std::string{prefix} + std::string{answer}));
}

TEST_CASE("a number of entries that the bytes can't hold allocates nothing") {
  auto bytes = encode(around(append_request{9, 8, 7, 6, {}}));
  for (size_t i = bytes.size() - 4; i < bytes.size(); ++i)
    bytes[i] = std::byte{0xff};
  CHECK_FALSE(decode_envelope(bytes).has_value());
}

TEST_CASE("messages stay below 64 KiB also where their entries are small, or empty") {
  for (size_t size : {0u, 1u, 40u, 200u}) {
    CAPTURE(size);
    append_request all{9, 8, 7, 6, {}};
    all.entries.assign(20'000, entry(9, entry_kind::command, std::string(size, 'x')));
    size_t entries = 0;
    for (auto& part : split_by_size(all, most_message_bytes)) {
      entries += part.entries.size();
      CHECK(encode(around(std::move(part))).size() <= 65536);
    }
    CHECK(entries == all.entries.size());
  }
}

TEST_CASE("a full message stays below 64 KiB") {
  append_request append{9, 8, 7, 6, {}};
  const std::string full(most_message_bytes, 'x');
  append.entries = {entry(9, entry_kind::command, full)};
  CHECK(encode(around(append)).size() <= 65536);
}
