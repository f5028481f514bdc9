#pragma once

#include "actors/gateway/problem.hpp"

#include <boost/json/value.hpp>
#include <string_view>

namespace novacron {

/// Parses a request's body as the API wants it: one JSON document (RFC 8259) in
/// UTF-8, nested at most 8 deep, no key twice in an object. What is wrong, and
/// where, is in the problem.
parsed<boost::json::value> parse_strict_json(std::string_view text);

/// A key as a part of a JSON pointer (RFC 6901), with its leading slash.
std::string pointer_part(std::string_view key);

} // namespace novacron
