#include "actors/gateway/field_reader.hpp"

#include "actors/gateway/strict_json.hpp"

#include <algorithm>

namespace novacron {

namespace {

namespace json = boost::json;

constexpr size_t max_labels = 32;
constexpr size_t max_label_key = 63;
constexpr size_t max_label_value = 256;
constexpr size_t max_words = 16;
constexpr size_t max_word = 63;

std::string_view view_of(json::string_view x) {
  return {x.data(), x.size()};
}

std::string list_of(field_reader::names known) {
  std::string result;
  for (auto each : known)
    result += (result.empty() ? ". Known: " : ", ") + std::string{each};
  return result;
}

std::string range(uint64_t low, uint64_t high) {
  return " from " + std::to_string(low) + " to " + std::to_string(high);
}

bool letter_or_digit(char c) {
  return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

} // namespace

field_reader::field_reader(std::string_view body, names known) {
  auto document = parse_strict_json(body);
  if (!document) {
    problem_ = document.error();
    return;
  }
  if (!document->is_object()) {
    problem_ = bad_request("the body must be a JSON object");
    return;
  }
  object_ = std::move(document->as_object());
  refuse_unknown(known);
}

void field_reader::refuse_unknown(names known) {
  for (const auto& [key, value] : object_)
    if (std::ranges::find(known, view_of(key)) == known.end()) {
      refuse(pointer(view_of(key)), "this field is not known here; leave it out" + list_of(known));
      return;
    }
}

std::string field_reader::text(std::string_view key, bool required) {
  auto* value = find(key, required);
  if (value == nullptr)
    return {};
  if (auto* string = value->if_string())
    return {string->data(), string->size()};
  refuse(pointer(key), "must be a string");
  return {};
}

uint64_t field_reader::number(std::string_view key, uint64_t low, uint64_t high) {
  auto* value = find(key, true);
  if (value == nullptr)
    return low;
  uint64_t result = 0;
  if (auto* number = value->if_uint64())
    result = *number;
  else if (auto* signed_number = value->if_int64())
    result = *signed_number < 0 ? 0 : static_cast<uint64_t>(*signed_number);
  else
    refuse(pointer(key), "must be a whole number" + range(low, high));
  if (result < low || result > high)
    refuse(pointer(key), "is out of range; give a number" + range(low, high));
  return result;
}

uint64_t field_reader::number_or(std::string_view key, uint64_t low, uint64_t high,
                                 uint64_t fallback) {
  return has(key) ? number(key, low, high) : fallback;
}

bool field_reader::boolean(std::string_view key) {
  auto* value = find(key, false);
  if (value == nullptr)
    return false;
  if (auto* flag = value->if_bool())
    return *flag;
  refuse(pointer(key), "must be true or false");
  return false;
}

std::map<std::string, std::string> field_reader::labels(std::string_view key) {
  std::map<std::string, std::string> result;
  auto* value = find(key, false);
  if (value == nullptr)
    return result;
  auto* object = value->if_object();
  if (object == nullptr) {
    refuse(pointer(key), "must be an object of strings");
    return result;
  }
  check(object->size() <= max_labels, pointer(key),
        "has too many labels; at most " + std::to_string(max_labels) + " are possible");
  for (const auto& [name_view, content] : *object) {
    std::string name{view_of(name_view)};
    auto at = pointer(key) + pointer_part(name);
    check(is_word(name, max_label_key, "._/-"), at,
          "is no label's name; use 1 to 63 of A-Z a-z 0-9 . _ / -, the first a letter or digit");
    auto* string = content.if_string();
    check(string != nullptr, at, "must be a string");
    if (string == nullptr)
      continue;
    std::string text{string->data(), string->size()};
    check(text.size() <= max_label_value && !has_control(text), at,
          "must have at most 256 bytes and no control characters");
    result.emplace(std::move(name), std::move(text));
  }
  return result;
}

std::vector<std::string> field_reader::words(std::string_view key) {
  std::vector<std::string> result;
  auto* value = find(key, false);
  if (value == nullptr)
    return result;
  auto* array = value->if_array();
  if (array == nullptr) {
    refuse(pointer(key), "must be a list of words");
    return result;
  }
  check(array->size() <= max_words, pointer(key),
        "has too many words; at most " + std::to_string(max_words) + " are possible");
  for (size_t i = 0; i < array->size(); ++i) {
    auto* string = (*array)[i].if_string();
    const auto word = string ? std::string{string->data(), string->size()} : std::string{};
    check(is_word(word, max_word, "._-"), pointer(key) + '/' + std::to_string(i),
          "must be a word: 1 to 63 of A-Z a-z 0-9 . _ -, the first a letter or digit");
    result.push_back(word);
  }
  std::ranges::sort(result);
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

field_reader field_reader::object(std::string_view key, names known) {
  field_reader nested;
  nested.prefix_ = pointer(key);
  auto* value = find(key, false);
  if (value == nullptr)
    return nested;
  if (auto* object = value->if_object())
    nested.object_ = *object;
  else
    nested.refuse(nested.prefix_, "must be an object");
  nested.refuse_unknown(known);
  return nested;
}

void field_reader::take_problem_of(const field_reader& nested) {
  if (!problem_)
    problem_ = nested.problem_;
}

const json::value* field_reader::find(std::string_view key, bool required) {
  if (problem_)
    return nullptr;
  auto* value = object_.if_contains({key.data(), key.size()});
  if (value == nullptr && required)
    refuse(pointer(key), "is missing; add it");
  return value;
}

void field_reader::refuse(std::string field, std::string detail) {
  if (!problem_)
    problem_ = bad_field(field, field + " " + detail);
}

std::string field_reader::pointer(std::string_view key) const {
  return prefix_ + pointer_part(key);
}

placement_rules read_placement(field_reader& vm) {
  placement_rules rules;
  auto placement = vm.object("placement", {"groups", "labels", "affinity", "anti_affinity"});
  rules.groups = placement.words("groups");
  auto labels = placement.object("labels", {"required", "preferred"});
  rules.required_labels = labels.labels("required");
  rules.preferred_labels = labels.labels("preferred");
  placement.take_problem_of(labels);
  auto together = placement.object("affinity", {"required", "preferred"});
  rules.required_affinity = together.words("required");
  rules.preferred_affinity = together.words("preferred");
  placement.take_problem_of(together);
  auto apart = placement.object("anti_affinity", {"required", "preferred"});
  rules.required_anti_affinity = apart.words("required");
  rules.preferred_anti_affinity = apart.words("preferred");
  placement.take_problem_of(apart);
  vm.take_problem_of(placement);
  return rules;
}

bool blank(std::string_view body) {
  return body.find_first_not_of(" \t\r\n") == body.npos;
}

bool lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_word(std::string_view text, size_t limit, std::string_view also) {
  return !text.empty() && text.size() <= limit && letter_or_digit(text.front())
         && std::ranges::all_of(
             text, [also](char c) { return letter_or_digit(c) || also.find(c) != also.npos; });
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    auto code = static_cast<unsigned char>(c);
    return code < 0x20 || code == 0x7F;
  });
}

} // namespace novacron
