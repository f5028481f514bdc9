#include "figures.hpp"

#include <boost/json/value.hpp>
#include <cstdio>

namespace novacron::bench {

namespace json = boost::json;

const json::value& at(const json::object& all, std::initializer_list<std::string> path) {
  static const json::value null;
  const auto* object = &all;
  const json::value* found = &null;
  for (const auto& key : path) {
    found = object == nullptr ? nullptr : object->if_contains(key);
    if (found == nullptr)
      return null;
    object = found->if_object();
  }
  return *found;
}

std::string number(const json::value& x, int digits) {
  boost::system::error_code error;
  const auto value = x.to_number<double>(error);
  if (error)
    return "–";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string mebibytes(const json::value& x) {
  boost::system::error_code error;
  const auto value = x.to_number<double>(error);
  return error ? "–" : number(json::value(value / 1'048'576), 1) + " MiB";
}

std::string ratio(const json::value& ours, const json::value& theirs) {
  boost::system::error_code one;
  boost::system::error_code two;
  const auto a = ours.to_number<double>(one);
  const auto b = theirs.to_number<double>(two);
  return one || two || b <= 0 ? "–" : number(json::value(a / b), 1) + " ×";
}

} // namespace novacron::bench
