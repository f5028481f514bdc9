#include "hypervisor/errors.hpp"

namespace novacron {

namespace {

class category final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "hypervisor"; }

  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<hypervisor_errc>(code)) {
    case hypervisor_errc::no_such_guest:
      return "no such guest on this host";
    case hypervisor_errc::already_there:
      return "a guest of that VM is on this host already";
    case hypervisor_errc::unreachable:
      return "the hypervisor cannot be reached";
    case hypervisor_errc::outcome_unknown:
      return "the connection broke during the call; its outcome is unknown";
    case hypervisor_errc::refused:
      return "refused by the hypervisor";
    case hypervisor_errc::not_supported:
      return "not supported here";
    case hypervisor_errc::aborted:
      return "the migration was aborted";
    }
    return "unknown hypervisor error " + std::to_string(code);
  }
};

} // namespace

const std::error_category& hypervisor_category() {
  static const category instance;
  return instance;
}

std::error_code make_error_code(hypervisor_errc code) {
  return {static_cast<int>(code), hypervisor_category()};
}

failure make_failure(hypervisor_errc code, std::string message) {
  return {make_error_code(code), std::move(message)};
}

} // namespace novacron
