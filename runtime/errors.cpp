#include "runtime/errors.hpp"

#include <utility>

namespace novacron {

namespace {

class category_of_runtime : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "runtime"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<runtime_errc>(value)) {
    case runtime_errc::configuration:
      return "wrong configuration";
    case runtime_errc::certificate:
      return "unusable certificate";
    case runtime_errc::folder:
      return "unusable file or folder";
    case runtime_errc::taken:
      return "address in use";
    case runtime_errc::process:
      return "a process failed";
    case runtime_errc::answer:
      return "refused, or not understood";
    case runtime_errc::timed_out:
      return "timed out";
    }
    return "unknown error";
  }
};

} // namespace

const std::error_category& runtime_category() {
  static const category_of_runtime category;
  return category;
}

std::error_code make_error_code(runtime_errc code) {
  return {static_cast<int>(code), runtime_category()};
}

failure make_failure(runtime_errc code, std::string message) {
  return {make_error_code(code), std::move(message)};
}

} // namespace novacron
