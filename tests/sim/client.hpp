#pragma once

#include "api_line.hpp"
#include "fleet.hpp"

#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace novacron::sim {

/// A caller of the API: one call after the other, through any controller, each
/// with an Idempotency-Key, and again with the same until it has an answer. Now and
/// then one that has its answer once more, another one under a key that was used, or
/// one that makes no sense.
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
  struct call {
    command what;
    command_errc refusal = command_errc::none; ///< that it must get, if it is a bad one
    bool again = false;                        ///< it has had its answer before
  };
  /// A call that was not made before.
  [[nodiscard]] call fresh(command_body what);
  void ask(call what);
  void attempt(const call& what, uint64_t floor);
  void read(vm_id vm);
  /// As `read`, from a gateway's copy. False: the client has none on its way.
  bool look(vm_id vm);
  void answered(const call& what, const command_outcome& outcome, uint64_t floor);
  void done();
  [[nodiscard]] command_body wish();

  fleet& with_;
  const uint64_t number_;
  std::unique_ptr<api_line> line_;
  uint64_t calls_ = 0;
  std::deque<command> carried_out_; ///< the latest
  bool stopped_ = false;
  bool busy_ = false;
};

} // namespace novacron::sim
