#pragma once

#include "messages/peer.hpp"

#include <caf/type_id.hpp>

// The messages that leave a process through CAF. On the wire CAF names a type
// by the text below, so the order here is free and the names are forever.
//
// Each actor system's configuration registers them:
//
//     add_message_types<caf::id_block::novacron>();

// clang-format off
CAF_BEGIN_TYPE_ID_BLOCK(novacron, caf::first_custom_type_id)

  // -- ids ---------------------------------------------------------------------

  CAF_ADD_TYPE_ID(novacron, (novacron::node_id))
  CAF_ADD_TYPE_ID(novacron, (novacron::vm_id))
  CAF_ADD_TYPE_ID(novacron, (novacron::migration_id))
  CAF_ADD_TYPE_ID(novacron, (novacron::operation_id))
  CAF_ADD_TYPE_ID(novacron, (novacron::boot_id))
  CAF_ADD_TYPE_ID(novacron, (novacron::cluster_id))
  CAF_ADD_TYPE_ID(novacron, (novacron::epoch))

  // -- proposals and the feed --------------------------------------------------

  CAF_ADD_TYPE_ID(novacron, (novacron::proposal))
  CAF_ADD_TYPE_ID(novacron, (novacron::outcomes))
  CAF_ADD_TYPE_ID(novacron, (novacron::list_request))
  CAF_ADD_TYPE_ID(novacron, (novacron::feed_listing))
  CAF_ADD_TYPE_ID(novacron, (novacron::pull_request))
  CAF_ADD_TYPE_ID(novacron, (novacron::feed_changes))
  CAF_ADD_TYPE_ID(novacron, (novacron::migration_progress))

  // -- hello -------------------------------------------------------------------

  CAF_ADD_TYPE_ID(novacron, (novacron::hello_challenge_request))
  CAF_ADD_TYPE_ID(novacron, (novacron::hello_challenge))
  CAF_ADD_TYPE_ID(novacron, (novacron::hello))
  CAF_ADD_TYPE_ID(novacron, (novacron::welcome))

  // -- the group of replicas ---------------------------------------------------

  CAF_ADD_TYPE_ID(novacron, (novacron::replica_message))
  CAF_ADD_TYPE_ID(novacron, (novacron::replica_message_taken))
  CAF_ADD_TYPE_ID(novacron, (novacron::snapshot_chunk_request))
  CAF_ADD_TYPE_ID(novacron, (novacron::snapshot_chunk))
  CAF_ADD_TYPE_ID(novacron, (novacron::group_status_request))
  CAF_ADD_TYPE_ID(novacron, (novacron::group_status))

  // -- migrations and faults ---------------------------------------------------

  CAF_ADD_TYPE_ID(novacron, (novacron::prepare_migration))
  CAF_ADD_TYPE_ID(novacron, (novacron::migration_prepared))
  CAF_ADD_TYPE_ID(novacron, (novacron::migration_performed))
  CAF_ADD_TYPE_ID(novacron, (novacron::kill_actor))

  // -- trees of actors ---------------------------------------------------------

  CAF_ADD_TYPE_ID(novacron, (novacron::actor_tree_request))
  CAF_ADD_TYPE_ID(novacron, (novacron::actor_tree))

CAF_END_TYPE_ID_BLOCK(novacron)
// clang-format on
