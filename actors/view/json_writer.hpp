#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace novacron {

/// Appends JSON to a string. Keeps the commas; the caller keeps the nesting.
///
/// Text that isn't UTF-8 (an error message of a hypervisor, say) is written
/// with U+FFFD in place of each bad byte, so that the result is always JSON.
class json_writer {
public:
  /// So many bytes will be written.
  void reserve(size_t bytes) { out_.reserve(bytes); }

  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }

  json_writer& key(std::string_view name);

  json_writer& text(std::string_view x);
  json_writer& number(uint64_t x);
  /// Three digits after the point.
  json_writer& fraction(double x);
  json_writer& boolean(bool x);
  json_writer& null();
  /// JSON that was written before.
  json_writer& raw(std::string_view json);

  /// `text`, or null when it is empty.
  json_writer& text_or_null(std::string_view x) { return x.empty() ? null() : text(x); }

  /// What was written; the writer starts again.
  std::string take();

private:
  json_writer& open(char bracket);
  json_writer& close(char bracket);
  void separate();
  void quoted(std::string_view x);

  std::string out_;
  bool comma_ = false; ///< the next value needs one before it
};

} // namespace novacron
