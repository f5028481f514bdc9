#pragma once

#include "actors/gateway/problem.hpp"
#include "messages/records.hpp"

#include <boost/json/object.hpp>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace novacron {

/// Takes the fields of one object, one by one, and remembers the first problem.
/// Fields that it wasn't told of are one.
class field_reader {
public:
  using names = std::initializer_list<std::string_view>;

  field_reader(std::string_view body, names known);

  std::string text(std::string_view key, bool required);
  /// Required.
  uint64_t number(std::string_view key, uint64_t low, uint64_t high);
  uint64_t number_or(std::string_view key, uint64_t low, uint64_t high, uint64_t fallback);
  bool boolean(std::string_view key);
  std::map<std::string, std::string> labels(std::string_view key);
  /// At most 16 words of 1 to 63 characters, sorted, without repeats.
  std::vector<std::string> words(std::string_view key);

  /// The object in this field; absent, it is as an empty one. Its first problem
  /// must be brought back by `take_problem_of`.
  field_reader object(std::string_view key, names known);
  void take_problem_of(const field_reader& nested);

  bool has(std::string_view key) { return !problem_ && find(key, false) != nullptr; }

  void check(bool holds, std::string field, std::string detail) {
    if (!holds)
      refuse(std::move(field), std::move(detail));
  }

  /// The first problem found, if any.
  [[nodiscard]] const std::optional<problem>& first_problem() const { return problem_; }

private:
  field_reader() = default;

  void refuse_unknown(names known);
  const boost::json::value* find(std::string_view key, bool required);
  void refuse(std::string field, std::string detail);
  [[nodiscard]] std::string pointer(std::string_view key) const;

  boost::json::object object_;
  std::string prefix_; ///< JSON pointer of this object
  std::optional<problem> problem_;
};

/// The field `placement` of a VM.
placement_rules read_placement(field_reader& vm);

/// Nothing but white space.
bool blank(std::string_view body);
bool lower_or_digit(char c);
/// Of letters, digits and the characters of `also`, the first a letter or digit.
bool is_word(std::string_view text, size_t limit, std::string_view also);
/// Characters beyond ASCII are allowed; those that end lines or move cursors aren't.
bool has_control(std::string_view text);

} // namespace novacron
