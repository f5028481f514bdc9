#include "actors/gateway/request_bodies.hpp"

#include "actors/gateway/strict_json.hpp"
#include "messages/names.hpp"
#include "messages/uuid.hpp"

#include <algorithm>
#include <initializer_list>

namespace novacron {

namespace {

namespace json = boost::json;

constexpr size_t max_name = 63;
constexpr uint64_t max_vcpus = 64;
constexpr uint64_t min_memory_mib = 16;
constexpr uint64_t max_memory_mib = 1'048'576;
constexpr size_t max_image = 128;
constexpr size_t max_kernel_arguments = 1'024;
constexpr size_t max_labels = 32;
constexpr size_t max_label_key = 63;
constexpr size_t max_label_value = 256;
constexpr size_t max_host = 253;

bool lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool letter_or_digit(char c) {
  return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

bool is_word(std::string_view text, size_t limit, std::string_view also) {
  return !text.empty() && text.size() <= limit && letter_or_digit(text.front())
         && std::ranges::all_of(
             text, [also](char c) { return letter_or_digit(c) || also.find(c) != also.npos; });
}

/// Characters beyond ASCII are allowed; those that end lines or move cursors aren't.
bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    auto code = static_cast<unsigned char>(c);
    return code < 0x20 || code == 0x7F;
  });
}

bool is_kernel_arguments(std::string_view text) {
  return text.size() <= max_kernel_arguments && std::ranges::all_of(text, [](char c) {
           return c >= 0x20 && c < 0x7F && c != '"' && c != '\'' && c != '\\';
         });
}

/// Takes the fields of one object, one by one, and remembers the first problem.
class field_reader {
public:
  field_reader(std::string_view body, std::initializer_list<std::string_view> known) {
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
    for (const auto& [key, value] : object_)
      if (std::ranges::find(known, std::string_view{key.data(), key.size()}) == known.end()) {
        refuse(pointer_part({key.data(), key.size()}),
               "this field is not known here; leave it out" + list_of(known));
        return;
      }
  }

  std::string text(std::string_view key, bool required) {
    auto* value = find(key, required);
    if (value == nullptr)
      return {};
    if (auto* string = value->if_string())
      return {string->data(), string->size()};
    refuse(pointer_part(key), "must be a string");
    return {};
  }

  uint64_t number(std::string_view key, uint64_t low, uint64_t high) {
    auto* value = find(key, true);
    if (value == nullptr)
      return low;
    uint64_t result = 0;
    if (auto* number = value->if_uint64())
      result = *number;
    else if (auto* signed_number = value->if_int64())
      result = *signed_number < 0 ? 0 : static_cast<uint64_t>(*signed_number);
    else
      refuse(pointer_part(key), "must be a whole number" + range(low, high));
    if (result < low || result > high)
      refuse(pointer_part(key), "is out of range; give a number" + range(low, high));
    return result;
  }

  std::map<std::string, std::string> labels(std::string_view key) {
    std::map<std::string, std::string> result;
    auto* value = find(key, false);
    if (value == nullptr)
      return result;
    auto* object = value->if_object();
    if (object == nullptr) {
      refuse(pointer_part(key), "must be an object of strings");
      return result;
    }
    check(object->size() <= max_labels, pointer_part(key),
          "has too many labels; at most " + std::to_string(max_labels) + " are possible");
    for (const auto& [name_view, content] : *object) {
      std::string name{name_view.data(), name_view.size()};
      auto pointer = pointer_part(key) + pointer_part(name);
      check(is_word(name, max_label_key, "._/-"), pointer,
            "is no label's name; use 1 to 63 of A-Z a-z 0-9 . _ / -, the first a letter or digit");
      auto* string = content.if_string();
      check(string != nullptr, pointer, "must be a string");
      if (string == nullptr)
        continue;
      std::string text{string->data(), string->size()};
      check(text.size() <= max_label_value && !has_control(text), pointer,
            "must have at most 256 bytes and no control characters");
      result.emplace(std::move(name), std::move(text));
    }
    return result;
  }

  bool has(std::string_view key) { return !problem_ && find(key, false) != nullptr; }

  void check(bool holds, std::string field, std::string detail) {
    if (!holds)
      refuse(std::move(field), std::move(detail));
  }

  /// The first problem found, if any.
  [[nodiscard]] const std::optional<problem>& first_problem() const { return problem_; }

private:
  static std::string list_of(std::initializer_list<std::string_view> known) {
    std::string result;
    for (auto each : known)
      result += (result.empty() ? ". Known: " : ", ") + std::string{each};
    return result;
  }

  static std::string range(uint64_t low, uint64_t high) {
    return " from " + std::to_string(low) + " to " + std::to_string(high);
  }

  const json::value* find(std::string_view key, bool required) {
    if (problem_)
      return nullptr;
    auto* value = object_.if_contains({key.data(), key.size()});
    if (value == nullptr && required)
      refuse(pointer_part(key), "is missing; add it");
    return value;
  }

  void refuse(std::string field, std::string detail) {
    if (!problem_)
      problem_ = bad_field(field, field + " " + detail);
  }

  json::object object_;
  std::optional<problem> problem_;
};

bool blank(std::string_view body) {
  return body.find_first_not_of(" \t\r\n") == body.npos;
}

} // namespace

bool is_vm_name(std::string_view text) {
  return !text.empty() && text.size() <= max_name && lower_or_digit(text.front())
         && std::ranges::all_of(text, [](char c) { return lower_or_digit(c) || c == '-'; })
         && !parse_uuid(text);
}

parsed<create_body> parse_create(std::string_view body) {
  field_reader fields{
      body, {"name", "vcpus", "memory_mib", "image", "kernel_arguments", "restart", "labels"}};
  create_body result;
  result.name = fields.text("name", true);
  fields.check(is_vm_name(result.name), "/name",
               "must be 1 to 63 of a-z 0-9 -, the first a letter or digit, and not a uuid");
  result.spec.vcpus = static_cast<uint32_t>(fields.number("vcpus", 1, max_vcpus));
  result.spec.memory_mib = fields.number("memory_mib", min_memory_mib, max_memory_mib);
  result.spec.image = fields.text("image", true);
  fields.check(is_word(result.spec.image, max_image, "._-"), "/image",
               "must be the name of an image of a host (1 to 128 of A-Z a-z 0-9 . _ -), not a path;"
               " see \"images\" in GET /api/v1/hosts");
  result.spec.kernel_arguments = fields.text("kernel_arguments", false);
  fields.check(is_kernel_arguments(result.spec.kernel_arguments), "/kernel_arguments",
               "must have at most 1024 printable ASCII characters, without quotes and backslashes");
  if (fields.has("restart")) {
    auto policy = parse<restart_policy>(fields.text("restart", false));
    fields.check(policy.has_value(), "/restart", "must be one of never, on_failure, always");
    result.spec.restart = policy.value_or(restart_policy::never);
  }
  result.spec.labels = fields.labels("labels");
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

parsed<migrate_body> parse_migrate(std::string_view body) {
  migrate_body result;
  if (blank(body))
    return result;
  field_reader fields{body, {"to"}};
  result.to = fields.text("to", false);
  if (fields.has("to"))
    fields.check(!result.to.empty() && result.to.size() <= max_host && !has_control(result.to),
                 "/to",
                 "must be the name or the id of a host; leave it out to let the scheduler choose");
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

parsed<kill_body> parse_kill(std::string_view body) {
  field_reader fields{body, {"node", "actor"}};
  kill_body result{fields.text("node", true), fields.text("actor", true)};
  fields.check(!result.node.empty() && result.node.size() <= max_host && !has_control(result.node),
               "/node", "must be the name or the id of a node");
  fields.check(!result.actor.empty() && result.actor.size() <= longest_actor_path
                   && !has_control(result.actor),
               "/actor", "must be an actor's path, such as guests/vm-<id>");
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

parsed<void> parse_nothing(std::string_view body) {
  if (blank(body))
    return {};
  field_reader fields{body, {}};
  if (fields.first_problem())
    return *fields.first_problem();
  return {};
}

} // namespace novacron
