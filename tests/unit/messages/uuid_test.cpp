#include "messages/ids.hpp"
#include "messages/uuid.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

constexpr uuid example{0x9f1c'2ab3'4d5e'6f70ULL, 0x8192'a3b4'c5d6'e7f8ULL};
constexpr auto example_text = "9f1c2ab3-4d5e-6f70-8192-a3b4c5d6e7f8";

} // namespace

TEST_CASE("a uuid is written as RFC 9562 says") {
  CHECK(to_string(example) == example_text);
  CHECK(to_string(uuid{}) == "00000000-0000-0000-0000-000000000000");
  CHECK(to_string(uuid{~0ULL, ~0ULL}) == "ffffffff-ffff-ffff-ffff-ffffffffffff");
}

TEST_CASE("a uuid is read in either case") {
  CHECK(parse_uuid(example_text) == example);
  CHECK(parse_uuid("9F1C2AB3-4D5E-6F70-8192-A3B4C5D6E7F8") == example);
}

TEST_CASE("what is written is read again") {
  for (int i = 0; i < 1000; ++i) {
    auto x = random_uuid();
    CHECK(parse_uuid(to_string(x)) == x);
  }
}

TEST_CASE("anything but the 36 characters is no uuid") {
  CHECK(!parse_uuid(""));
  CHECK(!parse_uuid("9f1c2ab3-4d5e-6f70-8192-a3b4c5d6e7f"));
  CHECK(!parse_uuid("9f1c2ab3-4d5e-6f70-8192-a3b4c5d6e7f80"));
  CHECK(!parse_uuid("{9f1c2ab3-4d5e-6f70-8192-a3b4c5d6e7f}"));
  CHECK(!parse_uuid("9f1c2ab34d5e-6f70-8192-a3b4c5d6e7f8--"));
  CHECK(!parse_uuid("9f1c2ab3-4d5e-6f70-8192-a3b4c5d6e7g8"));
  CHECK(!parse_uuid("+f1c2ab3-4d5e-6f70-8192-a3b4c5d6e7f8"));
  CHECK(!parse_uuid("-f1c2ab3-4d5e-6f70-8192-a3b4c5d6e7f8"));
  CHECK(!parse_uuid(" f1c2ab3-4d5e-6f70-8192-a3b4c5d6e7f8"));
  CHECK(!parse_uuid("9f1c2ab3_4d5e_6f70_8192_a3b4c5d6e7f8"));
}

TEST_CASE("a random uuid is of version 4 and not the last one again") {
  auto x = random_uuid();
  CHECK(to_string(x)[14] == '4');
  CHECK((x.low >> 62) == 2);
  CHECK(x != random_uuid());
  CHECK(!x.nil());
}

TEST_CASE("a uuid's bytes sort like the uuid") {
  uuid smaller{1, ~0ULL};
  uuid larger{2, 0};
  CHECK(smaller < larger);
  CHECK(to_bytes(smaller) < to_bytes(larger));
  CHECK(to_bytes(example)[0] == std::byte{0x9f});
  CHECK(to_bytes(example)[15] == std::byte{0xf8});
}

TEST_CASE("permissions are ordered by timeline, then number") {
  CHECK(epoch{1, 9} < epoch{2, 0});
  CHECK(epoch{1, 9} < epoch{1, 9}.next());
  CHECK(to_string(epoch{3, 14}) == "3.14");
}
