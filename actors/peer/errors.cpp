#include "actors/peer/errors.hpp"

#include <utility>

namespace novacron {

namespace {

class category_of_identity : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "identity"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<identity_errc>(value)) {
    case identity_errc::malformed:
      return "malformed";
    case identity_errc::nameless:
      return "names no node";
    case identity_errc::untrusted:
      return "not signed by the cluster's CA";
    case identity_errc::expired:
      return "not valid at this time";
    case identity_errc::forged:
      return "the signature doesn't match";
    case identity_errc::unusable:
      return "refused by OpenSSL";
    }
    return "unknown error";
  }
};

} // namespace

const std::error_category& identity_category() {
  static const category_of_identity category;
  return category;
}

std::error_code make_error_code(identity_errc code) {
  return {static_cast<int>(code), identity_category()};
}

failure make_failure(identity_errc code, std::string message) {
  return {make_error_code(code), std::move(message)};
}

} // namespace novacron
