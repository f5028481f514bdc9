#include "actors/gateway/http/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <doctest/doctest.h>
#include <string>

using namespace novacron;

namespace {

namespace http = boost::beast::http;

/// A request whose lines come one by one.
struct slow_request {
  request_parser parser{8'192};
  std::string text; ///< that was not parsed yet
  boost::beast::error_code error;

  /// False once it was too much.
  bool line(const std::string& x) {
    text += x + "\r\n";
    error = {};
    text.erase(0, parser.put(boost::asio::buffer(text), error));
    return !error || error == http::error::need_more;
  }
};

} // namespace

TEST_CASE_FIXTURE(slow_request, "fields that come one by one are bounded in sum") {
  REQUIRE(line("GET / HTTP/1.1"));
  int taken = 0;
  while (taken < 20 && line("a: " + std::string(1'000, 'x')))
    ++taken;
  CHECK(error == http::error::header_limit);
  CHECK(taken == 8); // the ninth was there when it was looked at
}

TEST_CASE_FIXTURE(slow_request, "fields that fit are taken") {
  REQUIRE(line("GET / HTTP/1.1"));
  for (int n = 0; n < 8; ++n)
    REQUIRE(line("a: " + std::string(1'000, 'x')));
  CHECK(line(""));
  CHECK(parser.is_header_done());
}
