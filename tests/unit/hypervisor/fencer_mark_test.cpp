#include "hypervisor/fencer/fencer.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

const guest_mark mark{{*parse_uuid("11111111-2222-4333-8444-555555555555")},
                      {*parse_uuid("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")},
                      {3, 18446744073709551615u},
                      true};
const std::string text = "host=11111111-2222-4333-8444-555555555555,"
                         "vm=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee,"
                         "epoch=3.18446744073709551615,ha=1";

} // namespace

TEST_CASE("a guest's mark reads back as it was written") {
  CHECK(to_string(mark) == text);
  auto back = parse_guest_mark(text);
  REQUIRE(back.has_value());
  CHECK(back->host == mark.host);
  CHECK(back->vm == mark.vm);
  CHECK(back->epoch == mark.epoch);
  CHECK(back->ha);
  auto free = mark;
  free.ha = false;
  CHECK_FALSE(parse_guest_mark(to_string(free))->ha);
}

TEST_CASE("what is not exactly a mark is none") {
  for (size_t length = 0; length < text.size(); ++length)
    CHECK_FALSE(parse_guest_mark(text.substr(0, length)).has_value());
  CHECK_FALSE(parse_guest_mark(text + ",more=1").has_value());
  CHECK_FALSE(parse_guest_mark(text + " ").has_value());
  for (auto [from, to] : {std::pair{"ha=1", "ha=2"},
                          {"ha=1", "ha="},
                          {"epoch=3.", "epoch=3"},
                          {"epoch=3.", "epoch=-3."},
                          {"=3.1", "=3.x1"},
                          {"vm=a", "vm=g"},
                          {"host=", "Host="}}) {
    auto wrong = text;
    wrong.replace(wrong.find(from), std::string_view{from}.size(), to);
    CAPTURE(wrong);
    CHECK_FALSE(parse_guest_mark(wrong).has_value());
  }
}
