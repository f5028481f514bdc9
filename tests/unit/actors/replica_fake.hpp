#pragma once

#include "messages/actors.hpp"

namespace novacron {

/// A replica that does nothing, and puts into `told` whoever asks to hear who leads.
inline replica_actor::behavior_type asked_who_leads(caf::actor& told) {
  return {
      [](const proposal&) { return outcomes{}; },
      [](const list_request&) { return feed_listing{}; },
      [](const pull_request&) { return feed_changes{}; },
      [](caf::subscribe_atom, const caf::actor&) {},
      [&told](status_atom, const caf::actor& who) { told = who; },
      [](const group_status_request&) { return group_status{}; },
      [](const snapshot_chunk_request&) { return snapshot_chunk{}; },
      [](const back_up&) { return backup_info{}; },
      [](tick_atom) {},
  };
}

} // namespace novacron
