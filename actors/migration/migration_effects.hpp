#pragma once

#include "messages/commands.hpp"
#include "messages/peer.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace novacron {

// What a migration's actor must do; the states themselves do nothing. Each
// effect that has an answer is brought back to the function that it names.

// -- source ------------------------------------------------------------------------

/// Step 1, and listen for the stream: → `begun`.
struct begin_at_source {};
/// Ask the destination for an incoming guest: → `prepared`.
struct ask_destination_to_prepare {
  prepare_migration request;
};
/// Start the page sender and Perform on it: → `performed`, once both have ended.
struct perform {
  migration_prepared destination;
};
/// Make a running Perform fail soon: its end comes as `performed`.
struct abort_perform {};
/// Tell the destination that all is sent: → `acknowledged`.
struct tell_destination {
  migration_performed message;
};
/// The source runs again, under this epoch: → `cleaned`.
struct resume_source {
  novacron::epoch epoch;
};
/// The source's paused copy goes: → `cleaned`.
struct confirm_at_source {};

// -- destination -------------------------------------------------------------------

/// Expect the pages and make the incoming guest: → `prepared`.
struct prepare_incoming {
  prepare_migration request;
};
/// Answer the source's prepare.
struct answer_prepare {
  std::optional<migration_prepared> answer; ///< nothing: refused, because of `problem`
  std::string problem;
};
/// Answer the source's word that all is sent.
struct answer_performed {
  std::string problem; ///< empty: everything has arrived, digest equal
};
/// Note durably that the guest may run from now on, then step 4: → `finished`.
struct finish_incoming {
  std::string cookie;
};
/// Remove the incoming guest and end the session: → `cleaned`.
struct cancel_incoming {};
/// What is here of the guest: → `found`.
struct look_for_guest {};

// -- both --------------------------------------------------------------------------

/// Propose a decision: → `decided`.
struct propose_decision {
  decide_migration command;
};
/// Say what has been done, for the host's next report.
struct report_migration {
  migration_observation observation;
};
/// The log knows all that there is to say.
struct end_migration {};

using migration_effect
    = std::variant<begin_at_source, ask_destination_to_prepare, perform, abort_perform,
                   tell_destination, resume_source, confirm_at_source, prepare_incoming,
                   answer_prepare, answer_performed, finish_incoming, cancel_incoming,
                   look_for_guest, propose_decision, report_migration, end_migration>;
using migration_effects = std::vector<migration_effect>;

} // namespace novacron
