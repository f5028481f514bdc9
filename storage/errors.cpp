#include "storage/errors.hpp"

#include <utility>

namespace novacron {

namespace {

class category final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "storage"; }

  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<storage_errc>(code)) {
    case storage_errc::cannot_open:
      return "the folder cannot be opened";
    case storage_errc::foreign:
      return "the folder belongs to another cluster, node or timeline";
    case storage_errc::damaged:
      return "the log is damaged";
    case storage_errc::unknown_version:
      return "the log holds commands that this version does not know";
    case storage_errc::stopped:
      return "the replica is stopping";
    case storage_errc::not_leader:
      return "this replica is not the leader";
    case storage_errc::refused:
      return "the change of the members is refused";
    case storage_errc::emptied:
      return "the replica's disk was emptied or exchanged";
    case storage_errc::no_such_backup:
      return "there is no such backup";
    case storage_errc::differs:
      return "the state differs from the other replicas'";
    }
    return "unknown storage error " + std::to_string(code);
  }
};

} // namespace

const std::error_category& storage_category() {
  static const category instance;
  return instance;
}

std::error_code make_error_code(storage_errc code) {
  return {static_cast<int>(code), storage_category()};
}

failure make_failure(storage_errc code, std::string message) {
  return {make_error_code(code), std::move(message)};
}

} // namespace novacron
