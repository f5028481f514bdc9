#pragma once

#include "actors/migration/migration_destination.hpp"
#include "hypervisor/hypervisor.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace novacron {

// What a migration's end does to the guest, at either side. All of it blocks.

/// Stands on the destination's disk once a Finish was begun for a migration:
/// after a crash it tells whether the guest may have run there.
class finish_mark {
public:
  virtual ~finish_mark() = default;
  [[nodiscard]] virtual bool stands() const = 0;
  /// True: it stands, whatever happens to the machine.
  virtual bool set() = 0;
  virtual void remove() = 0;
};

/// A mark that is a file.
class finish_mark_file final : public finish_mark {
public:
  explicit finish_mark_file(std::filesystem::path file) : file_{std::move(file)} {
    // nop
  }
  [[nodiscard]] bool stands() const override;
  bool set() override;
  void remove() override;

private:
  std::filesystem::path file_;
};

/// Destination: lets the guest run. The mark stands before the hypervisor is
/// asked, and goes again when that surely had no effect. `no_space_on_device`: this
/// host's disk didn't take it, so no Finish was ever begun.
std::optional<failure> finish_guest(hypervisor& driver, finish_mark& mark, vm_id vm,
                                    const std::string& cookie);
/// Destination: removes the incoming guest. Succeeds when there is none; any other
/// guest of the VM is its own actor's, and left alone.
std::optional<failure> cancel_guest(hypervisor& driver, vm_id vm);
/// Destination: what is here of the guest of `epoch`.
result<found_guest> find_guest(hypervisor& driver, const finish_mark& mark, vm_id vm, epoch epoch);

/// Source: the guest goes on here, under `epoch`. One that is gone, or has
/// crashed, needs no resuming: its VM's actor will say that it has ended.
std::optional<failure> resume_at_source(hypervisor& driver, vm_id vm, epoch epoch);
/// Source: the paused copy goes.
std::optional<failure> confirm_source(hypervisor& driver, vm_id vm);

} // namespace novacron
