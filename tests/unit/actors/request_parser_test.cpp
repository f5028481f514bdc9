#include "actors/gateway/http/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <doctest/doctest.h>
#include <string>

using namespace novacron;

namespace {

namespace http = boost::beast::http;

/// A request that comes in pieces.
struct slow_request {
  request_parser parser{8'192};
  std::string text; ///< that was not parsed yet
  boost::beast::error_code error;

  /// False once it was too much.
  bool piece(const std::string& x) {
    text += x;
    error = {};
    text.erase(0, parser.put(boost::asio::buffer(text), error));
    return !error || error == http::error::need_more;
  }
};

const std::string value = ": " + std::string(1'000, 'x') + "\r\n";

} // namespace

// Beast takes a field as soon as it sees that the next line is another one. Where it holds no more
// than that line's first letter it doesn't wait for the headers' end, and forgets what it has
// taken.
TEST_CASE_FIXTURE(slow_request, "fields that come one by one are bounded in sum") {
  REQUIRE(piece("GET / HTTP/1.1\r\na"));
  int taken = 0;
  while (taken < 20 && piece(value + "a")) {
    CHECK(text == "a");
    ++taken;
  }
  CHECK(error == http::error::header_limit);
  CHECK(taken == 8);
}

TEST_CASE_FIXTURE(slow_request, "fields that fit are taken") {
  REQUIRE(piece("GET / HTTP/1.1\r\na"));
  for (int n = 0; n < 7; ++n)
    REQUIRE(piece(value + "a"));
  CHECK(piece(value + "\r\n"));
  CHECK(parser.is_header_done());
}
