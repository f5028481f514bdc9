#pragma once

#include "messages/backup.hpp"
#include "messages/changes.hpp"
#include "messages/commands.hpp"
#include "messages/peer.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace novacron {

// Messages between actors of one process. They never leave it, so they have no
// wire format, and CAF refuses to serialise them.

/// Something to run on the actor that receives it: how the answer of a blocking
/// call comes back. Dropped when the actor is gone.
struct continuation {
  std::function<void()> run;
};

/// What a VM's actor must know of the log: the VM, and the migration it is in.
struct vm_changed {
  vm_record vm;
  std::optional<migration_record> migration; ///< set while `vm.migration` is, and until it is over
  bool may_start = false; ///< a lease granted after our start holds, and this state is no older
};

/// What the hypervisor says, looked at between `asked` and now.
struct guest_seen {
  enum class presence : uint8_t { absent, incoming, paused, running, stopping, crashed };
  presence guest = presence::absent;
  novacron::epoch epoch;
  bool migration_source = false;
  bool powered_off = false; ///< absent because it switched itself off, as far as anybody knows
  std::chrono::steady_clock::time_point asked; ///< when the look began
};

/// The hypervisor says that a guest switches itself off.
struct guest_powered_off {
  vm_id vm;
};

/// A VM's actor is there (again): its host answers with what it knows.
struct attach_vm {
  vm_id vm;
};

/// A migration's actor is there (again).
struct attach_migration {
  migration_id migration;
};

/// The migration's record changed.
struct migration_changed {
  migration_record migration;
  vm_record vm;
  std::optional<host_record> peer; ///< the other host
  bool fresh = false;              ///< reserved just now: nothing has been done for it yet
};

/// A create's choice of a host, a migration's of a destination, a lost VM's of another host.
struct place_request {
  vm_id vm;
  vm_spec spec;
  node_id except;           ///< nil, or a host that it must not get
  bool migration = false;   ///< of a VM that exists: the scheduler knows its spec, the host
                            ///< that it leaves, and whether its guest must be brought along,
                            ///< that is, whether it runs
  bool replacement = false; ///< of a lost VM: the scheduler knows its spec; its host isn't up
};

struct place_answer {
  node_id host;       ///< nil: none fits
  std::string detail; ///< why none fits: what is missing on the best one
};

/// From another controller's frontend, which isn't the leader's: not to be
/// forwarded again.
struct forwarded_proposal {
  proposal what;
};

/// Who leads the group of replicas, as far as this node's replica knows.
struct leadership {
  bool here = false;
  node_id leads; ///< nil: nobody is known to
  uint64_t term = 0;
  uint32_t cluster_version = 0; ///< of this node's state; 0: not known

  friend bool operator==(const leadership&, const leadership&) = default;
};

/// Back the replica's state up to `folder`, and keep the newest `keep` there.
struct back_up {
  std::filesystem::path folder;
  uint32_t keep = 0;
};

/// How far a copy of the state is.
struct view_status {
  uint64_t revision = 0;
  bool complete = false; ///< the first listing has been read
  std::chrono::milliseconds since_contact{0};
};

} // namespace novacron

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::continuation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::vm_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::guest_seen)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::guest_powered_off)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::attach_vm)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::attach_migration)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::migration_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::place_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::place_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::forwarded_proposal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::leadership)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::view_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::vm_observation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::migration_observation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::back_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(novacron::backup_info)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<novacron::backup_info>)
