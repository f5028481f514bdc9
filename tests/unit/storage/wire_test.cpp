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

TEST_CASE("a number of entries that the bytes can't hold allocates nothing") {
  auto bytes = encode(around(append_request{9, 8, 7, 6, {}}));
  for (size_t i = bytes.size() - 4; i < bytes.size(); ++i)
    bytes[i] = std::byte{0xff};
  CHECK_FALSE(decode_envelope(bytes).has_value());
}

TEST_CASE("a full message stays below 64 KiB") {
  append_request append{9, 8, 7, 6, {}};
  const std::string full(most_message_bytes, 'x');
  append.entries = {entry(9, entry_kind::command, full)};
  CHECK(encode(around(append)).size() <= 65536);
}
