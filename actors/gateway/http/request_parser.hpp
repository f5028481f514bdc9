#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace novacron {

/// Beast's parser, with a bound on the whole of the headers and of the trailer.
///
/// The problem: Beast compares its `header_limit` with what it has not parsed yet,
/// and it parses each field as it comes. So fields that come one by one are never
/// too many, and each of them costs some hundred bytes however short it is.
class request_parser final
    : public boost::beast::http::request_parser<boost::beast::http::string_body> {
public:
  /// As many as other servers take.
  static constexpr size_t most_fields = 100;

  explicit request_parser(size_t header_bytes) : left_{header_bytes} {
    header_limit(static_cast<uint32_t>(header_bytes));
  }

private:
  void on_field_impl(boost::beast::http::field name, boost::beast::string_view shown,
                     boost::beast::string_view value, boost::beast::error_code& error) override {
    const auto bytes = shown.size() + value.size();
    if (bytes > left_ || ++fields_ > most_fields) {
      error = boost::beast::http::error::header_limit;
      return;
    }
    left_ -= bytes;
    get().insert(name, shown, value);
  }

  size_t left_;
  size_t fields_ = 0;
};

} // namespace novacron
