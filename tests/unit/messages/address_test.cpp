#include "messages/address.hpp"

#include <doctest/doctest.h>

using namespace novacron;

TEST_CASE("an address is read as it is written") {
  for (const char* text : {"127.0.0.1:7101", "node-1.example_lab:0", "[::1]:65535",
                           "[fe80::1%eth0]:1", "[::ffff:10.0.0.1]:80"}) {
    INFO(text);
    const auto x = parse_address(text);
    REQUIRE(x.has_value());
    CHECK(to_string(*x) == text);
  }
  CHECK(parse_address("[::1]:7101") == address{"::1", 7101});
}

TEST_CASE("what is no host and no port is no address") {
  for (const char* text : {"", ":", "host", "host:", ":80", "host:65536", "host:-1", "host:8 0",
                           "host: 80", "::1:80", "[::1]", "[]:80", "[host]:80", "[[::1]]:80",
                           "[::1:80", "ho st:80", "host\n:80", "host/:80", "user@host:80"}) {
    INFO(text);
    CHECK_FALSE(parse_address(text).has_value());
  }
  CHECK(parse_address(std::string(253, 'a') + ":80").has_value());
  CHECK_FALSE(parse_address(std::string(254, 'a') + ":80").has_value());
}
