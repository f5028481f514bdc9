#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace novacron {

/// Writes the small fixed records of the database: numbers big-endian, without gaps.
class field_writer {
public:
  template <std::unsigned_integral T>
  field_writer& number(T value) {
    for (size_t i = sizeof(T); i-- > 0;)
      out_.push_back(static_cast<char>(value >> (8 * i)));
    return *this;
  }

  field_writer& text(std::string_view value) {
    out_.append(value);
    return *this;
  }

  field_writer& bytes(std::span<const std::byte> value) {
    out_.append(reinterpret_cast<const char*>(value.data()), value.size());
    return *this;
  }

  [[nodiscard]] size_t size() const { return out_.size(); }

  std::string take() { return std::move(out_); }

private:
  std::string out_;
};

/// Reads them again. Reading past the end yields zeros and makes `good` false.
class field_reader {
public:
  explicit field_reader(std::string_view in) : in_{in} {
    // nop
  }

  template <std::unsigned_integral T>
  T number() {
    if (in_.size() < sizeof(T)) {
      good_ = false;
      in_ = {};
      return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i)
      value = value << 8 | static_cast<uint8_t>(in_[i]);
    in_.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }

  /// The next `size` bytes; empty if there are fewer.
  std::string_view text(size_t size) {
    if (in_.size() < size) {
      spoil();
      return {};
    }
    auto some = in_.substr(0, size);
    in_.remove_prefix(size);
    return some;
  }

  /// What was read makes no sense.
  void spoil() {
    good_ = false;
    in_ = {};
  }

  [[nodiscard]] size_t left() const { return in_.size(); }

  /// All that is left.
  std::string_view rest() {
    auto all = in_;
    in_ = {};
    return all;
  }

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return in_.empty(); }

private:
  std::string_view in_;
  bool good_ = true;
};

} // namespace novacron
