#include "actors/gateway/strict_json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <set>
#include <vector>

namespace novacron {

namespace {

namespace json = boost::json;

constexpr size_t max_depth = 8;

/// A SAX handler that only looks for keys that come twice in one object:
/// Boost.JSON's own parser keeps the last one silently.
struct duplicate_finder {
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = 1u << 20;
  static constexpr size_t max_string_size = 1u << 20;

  struct level {
    std::set<std::string> keys; ///< of an object
    std::string current;        ///< the key whose value is being read
  };
  std::vector<level> levels;
  std::string key;
  std::string duplicate; ///< a JSON pointer; empty: none

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) {
    levels.emplace_back();
    return true;
  }
  bool on_object_end(size_t, json::error_code&) {
    levels.pop_back();
    return true;
  }
  bool on_array_begin(json::error_code&) {
    levels.emplace_back();
    return true;
  }
  bool on_array_end(size_t, json::error_code&) {
    levels.pop_back();
    return true;
  }
  bool on_key_part(json::string_view part, size_t, json::error_code&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, size_t, json::error_code& error) {
    key.append(part.data(), part.size());
    auto& top = levels.back();
    top.current = std::exchange(key, {});
    if (top.keys.insert(top.current).second)
      return true;
    for (const auto& each : levels)
      duplicate += pointer_part(each.current);
    error = json::error::exception;
    return false;
  }
  bool on_string_part(json::string_view, size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

json::parse_options options() {
  json::parse_options result;
  result.max_depth = max_depth;
  return result;
}

problem malformed(const json::error_code& why) {
  return bad_request("the body is not JSON as this API reads it (" + why.message()
                     + "); send one JSON object in UTF-8, nested at most "
                     + std::to_string(max_depth) + " deep");
}

} // namespace

std::string pointer_part(std::string_view key) {
  std::string result{"/"};
  for (char c : key.substr(0, 128))
    if (c == '~')
      result += "~0";
    else if (c == '/')
      result += "~1";
    else
      result += c;
  return result;
}

parsed<json::value> parse_strict_json(std::string_view text) {
  json::error_code error;
  json::basic_parser<duplicate_finder> finder{options()};
  auto read = finder.write_some(false, text.data(), text.size(), error);
  if (!finder.handler().duplicate.empty())
    return bad_field(finder.handler().duplicate, "this key stands twice; send it once");
  if (!error && read != text.size())
    error = json::error::extra_data;
  if (error)
    return malformed(error);
  auto value = json::parse(json::string_view{text.data(), text.size()}, error, {}, options());
  if (error)
    return malformed(error);
  return value;
}

} // namespace novacron
