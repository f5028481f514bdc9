#include "dwcp/errors.hpp"

#include <utility>

namespace novacron {

namespace {

class category_of_dwcp : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "dwcp"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<dwcp_errc>(value)) {
    case dwcp_errc::unreachable:
      return "the destination can't be reached";
    case dwcp_errc::unauthorised:
      return "not authorised";
    case dwcp_errc::malformed:
      return "the protocol was broken";
    case dwcp_errc::digest_mismatch:
      return "what arrived is not what was sent";
    case dwcp_errc::stream_broken:
      return "a connection ended too early";
    case dwcp_errc::timed_out:
      return "timed out";
    case dwcp_errc::cancelled:
      return "cancelled";
    case dwcp_errc::too_many:
      return "a bound was reached";
    case dwcp_errc::withdrawn:
      return "not lent any more";
    }
    return "unknown error";
  }
};

} // namespace

const std::error_category& dwcp_category() {
  static const category_of_dwcp category;
  return category;
}

std::error_code make_error_code(dwcp_errc code) {
  return {static_cast<int>(code), dwcp_category()};
}

failure make_failure(dwcp_errc code, std::string message) {
  return {make_error_code(code), std::move(message)};
}

} // namespace novacron
