#include "actors/gateway/errors.hpp"

namespace novacron {

namespace {

class category final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "gateway"; }

  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<gateway_errc>(code)) {
    case gateway_errc::bad_address:
      return "not an IP address";
    case gateway_errc::port_taken:
      return "the port is taken";
    case gateway_errc::cannot_listen:
      return "cannot listen";
    case gateway_errc::bad_token_hash:
      return "a token's hash is malformed";
    }
    return "unknown gateway error " + std::to_string(code);
  }
};

} // namespace

const std::error_category& gateway_category() {
  static const category instance;
  return instance;
}

std::error_code make_error_code(gateway_errc code) {
  return {static_cast<int>(code), gateway_category()};
}

failure make_failure(gateway_errc code, std::string message) {
  return {make_error_code(code), std::move(message)};
}

} // namespace novacron
