#pragma once

#include "api_line.hpp"
#include "fleet.hpp"

#include <memory>
#include <string>
#include <utility>

namespace novacron::sim {

/// Callers who come all at once, to one controller, with more calls than a frontend takes.
/// None asks again.
class crowd {
public:
  crowd(fleet& with, std::unique_ptr<api_line> line) : with_{with}, line_{std::move(line)} {
    // nop
  }

  void come();
  /// Each has an answer, or heard that there is none.
  [[nodiscard]] bool idle() const { return open_ == 0; }

private:
  void call();

  fleet& with_;
  std::unique_ptr<api_line> line_;
  uint64_t calls_ = 0;
  uint64_t open_ = 0;
};

} // namespace novacron::sim
