#pragma once

#include "api_line.hpp"
#include "fleet.hpp"

#include <memory>
#include <string>
#include <utility>

namespace novacron::sim {

/// A caller of the API: one call after the other, through any controller, each
/// with an Idempotency-Key, and again with the same until it has an answer.
class client {
public:
  client(fleet& with, uint64_t number, std::unique_ptr<api_line> line)
      : with_{with}, number_{number}, line_{std::move(line)} {
    // nop
  }

  void begin();
  /// Asks for nothing new any more.
  void stop() { stopped_ = true; }
  [[nodiscard]] bool idle() const { return stopped_ && !busy_; }

private:
  void next();
  void call(command_body what);
  void attempt(const command& what, uint64_t floor);
  void read(vm_id vm);
  void answered(const command& what, const command_outcome& outcome, uint64_t floor);
  void done();
  [[nodiscard]] command_body wish();

  fleet& with_;
  const uint64_t number_;
  std::unique_ptr<api_line> line_;
  uint64_t calls_ = 0;
  bool stopped_ = false;
  bool busy_ = false;
};

} // namespace novacron::sim
