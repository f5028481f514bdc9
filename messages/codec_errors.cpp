#include "messages/codec.hpp"

namespace novacron {

namespace {

class codec_error_category final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "codec"; }

  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<codec_errc>(code)) {
    case codec_errc::malformed:
      return "malformed message";
    case codec_errc::too_large:
      return "message too large";
    case codec_errc::out_of_range:
      return "value out of range in a message";
    }
    return "unknown codec error";
  }
};

} // namespace

const std::error_category& codec_category() {
  static const codec_error_category category;
  return category;
}

std::error_code make_error_code(codec_errc code) {
  return {static_cast<int>(code), codec_category()};
}

} // namespace novacron
