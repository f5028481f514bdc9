#pragma once

#include "messages/carrier.hpp"
#include "messages/local.hpp"
#include "messages/peer.hpp"
#include "messages/type_ids.hpp"

#include <caf/all.hpp>

namespace novacron {

using caf::ok_atom;
using caf::tick_atom;
using caf::update_atom;
using stop_atom = caf::atom_constant<caf::atom("stop")>;
using status_atom = caf::atom_constant<caf::atom("status")>;
using list_atom = caf::atom_constant<caf::atom("list")>;
using back_up_atom = caf::atom_constant<caf::atom("back_up")>;

// -- supervision -----------------------------------------------------------------

struct child_spec; // actors/supervisor/supervision_spec.hpp

/// Starts its children in order, restarts them as its spec says, ends them in
/// reverse order. Gives up, and ends itself, when they die too often.
using supervisor_actor = caf::typed_actor<
    // Add a child to those of the spec, or answer with the one that has its name.
    caf::replies_to<std::shared_ptr<const child_spec>>::with<caf::actor>,
    // End the child of this name for good. Unknown names are ignored.
    caf::reacts_to<stop_atom, std::string>,
    // Kill the descendant at this path, as a fault would; its supervisor reacts.
    caf::replies_to<kill_actor>::with<ok_atom>,
    // The tree below this supervisor, or below one of its descendants.
    caf::replies_to<actor_tree_request>::with<actor_tree>>;

// -- the controller --------------------------------------------------------------

/// The way into the log.
using frontend_actor = caf::typed_actor<
    // Places what is to be placed, proposes, and answers once it is applied.
    // Refusals are outcomes; an error means that nobody answered in time.
    caf::replies_to<proposal>::with<outcomes>,
    // How the replicas stand, as the leader sees it; when there is none, as the
    // replica here does. With `linearizable` by the leader, or an error.
    caf::replies_to<group_status_request>::with<group_status>>;

/// The frontend of a node with a replica.
using controller_frontend_actor = frontend_actor::extend<
    // The same, but only if the replica here leads.
    caf::replies_to<forwarded_proposal>::with<outcomes>,
    // Who leads has changed.
    caf::reacts_to<leadership>>;

/// Owns the replica and its threads.
using replica_actor = caf::typed_actor<
    // Propose as one entry; answered once applied, or when it can't be.
    caf::replies_to<proposal>::with<outcomes>,
    // A page of the state; with `linearizable` after a barrier.
    caf::replies_to<list_request>::with<feed_listing>,
    // Changes after a revision, at once, possibly none.
    caf::replies_to<pull_request>::with<feed_changes>,
    // Tell this actor the applied revision whenever it rises.
    caf::reacts_to<caf::subscribe_atom, caf::actor>,
    // Tell this actor who leads, now and whenever that changes.
    caf::reacts_to<status_atom, caf::actor>,
    // How the replicas stand, as this one sees it; with `linearizable` only from
    // the leader, after a barrier.
    caf::replies_to<group_status_request>::with<group_status>,
    // A part of a snapshot that this replica has offered to another one.
    caf::replies_to<snapshot_chunk_request>::with<snapshot_chunk>,
    // Back up; answered when the backup is on the disk and was read back. One at a time.
    caf::replies_to<back_up>::with<backup_info>,
    // Time to look for leases that were not renewed.
    caf::reacts_to<tick_atom>>;

/// Backs the state up on time, and when asked.
using backups_actor = caf::typed_actor<
    // Make one now.
    caf::replies_to<back_up_atom>::with<backup_info>,
    // Those that there are, oldest first.
    caf::replies_to<list_atom>::with<std::vector<backup_info>>,
    // Time to look whether one is due.
    caf::reacts_to<tick_atom>>;

/// Where the state can be read and followed: a feed, or a link to one.
using feed_source_actor = caf::typed_actor<
    // A page of the state.
    caf::replies_to<list_request>::with<feed_listing>,
    // The changes after a revision; waits for the first one.
    caf::replies_to<pull_request>::with<feed_changes>,
    // How a migration gets on; passed to whoever pulls without a filter.
    caf::reacts_to<migration_progress>>;

/// Serves the changes to whoever follows them. Every pull is one batch of
/// credit: a reader that doesn't ask gets nothing, and costs nothing.
using feed_actor = feed_source_actor::extend<
    // The replica has applied up to this revision.
    caf::reacts_to<update_atom, uint64_t>,
    // Time to answer those who have waited long enough.
    caf::reacts_to<tick_atom>>;

/// Chooses hosts. Follows the feed, and remembers what it promised until the
/// feed shows it.
using scheduler_actor = caf::typed_actor<
    // Choose a host; deterministic for equal states.
    caf::replies_to<place_request>::with<place_answer>,
    // Time to follow the feed.
    caf::reacts_to<tick_atom>>;

/// Keeps an actor for as long as the replica here leads, and none otherwise.
using leader_only_actor = caf::typed_actor<
    // Who leads has changed.
    caf::reacts_to<leadership>>;

/// Has VMs placed elsewhere that were lost with their host. Leader only.
using recovery_actor = caf::typed_actor<
    // Time to follow the feed, and to try again.
    caf::reacts_to<tick_atom>>;

/// Makes sure that lost hosts are off, by the operator's command. Leader only.
using stonith_actor = caf::typed_actor<
    // A run has ended.
    caf::reacts_to<continuation>,
    // Time to follow the feed, and to see which runs are due.
    caf::reacts_to<tick_atom>>;

/// Carries out drains and rebalances. Leader only.
using drain_actor = caf::typed_actor<
    // Time to follow the feed, and to give the next orders.
    caf::reacts_to<tick_atom>>;

/// Keeps the in-memory copy that requests are answered from.
using view_actor = caf::typed_actor<
    // How far the copy is.
    caf::replies_to<status_atom>::with<view_status>,
    // Time to follow the feed.
    caf::reacts_to<tick_atom>>;

/// Has one more gateway started when this node's is full, by the operator's command.
using scale_out_actor = caf::typed_actor<
    // A run has ended.
    caf::reacts_to<continuation>,
    // Time to see what was sent away.
    caf::reacts_to<tick_atom>>;

// -- the host --------------------------------------------------------------------

/// Runs one host: follows the log, keeps the lease, looks at the hypervisor,
/// and reports for all of its VMs.
using host_actor = caf::typed_actor<
    // A VM's actor has started: answer with the VM and send it every change.
    caf::replies_to<attach_vm>::with<vm_changed>,
    // A migration's actor has started.
    caf::replies_to<attach_migration>::with<migration_changed>,
    // For the next report. The last one per VM wins.
    caf::reacts_to<vm_observation>, caf::reacts_to<migration_observation>,
    // From another host's migration: make an incoming guest. Waits shortly for
    // the log to show the reservation.
    caf::replies_to<prepare_migration>::with<migration_prepared>,
    // From another host's migration: its Perform has ended well.
    caf::replies_to<migration_performed>::with<ok_atom>,
    // A guest switches itself off: what a later look doesn't show.
    caf::reacts_to<guest_powered_off>,
    // Look at the hypervisor soon.
    caf::reacts_to<update_atom>, caf::reacts_to<continuation>, caf::reacts_to<tick_atom>>;

/// Drives one VM from its actual to its requested state.
using vm_actor = caf::typed_actor<
    // The log's word has changed; reconcile. Repeats are harmless.
    caf::reacts_to<vm_changed>,
    // What the hypervisor says the guest is doing.
    caf::reacts_to<guest_seen>, caf::reacts_to<continuation>, caf::reacts_to<tick_atom>>;

/// One side, source or destination, of one migration.
using migration_actor = caf::typed_actor<
    // The log's word has changed. Repeats are harmless.
    caf::reacts_to<migration_changed>,
    // Destination: the source asks for an incoming guest.
    caf::replies_to<prepare_migration>::with<migration_prepared>,
    // Destination: the source has sent everything.
    caf::replies_to<migration_performed>::with<ok_atom>, caf::reacts_to<continuation>,
    caf::reacts_to<tick_atom>>;

// -- between nodes ---------------------------------------------------------------

/// What a node without a replica follows, and proposes to: a controller.
using controller_actor
    = feed_source_actor::extend<caf::replies_to<proposal>::with<outcomes>,
                                caf::replies_to<group_status_request>::with<group_status>,
                                // Of another node, which a controller has a link with.
                                caf::replies_to<kill_actor>::with<ok_atom>,
                                caf::replies_to<actor_tree_request>::with<actor_tree>,
                                // Time to see whether the present one will do.
                                caf::reacts_to<tick_atom>>;

/// Keeps a controller's links to the other controllers.
using controllers_actor = caf::typed_actor<
    // Time to see who has come.
    caf::reacts_to<tick_atom>>;

/// A connection to another node, from here: reconnects by itself, and answers
/// with an error at once while there is none.
using link_actor = feed_source_actor::extend<
    caf::replies_to<proposal>::with<outcomes>,
    caf::replies_to<group_status_request>::with<group_status>,
    caf::replies_to<snapshot_chunk_request>::with<snapshot_chunk>,
    // From the other node's door: what it has passed on of our replica's.
    caf::reacts_to<replica_message_taken>,
    caf::replies_to<prepare_migration>::with<migration_prepared>,
    caf::replies_to<migration_performed>::with<ok_atom>, caf::replies_to<kill_actor>::with<ok_atom>,
    caf::replies_to<actor_tree_request>::with<actor_tree>,
    // Time to try again.
    caf::reacts_to<tick_atom>>;

/// The one published actor of a node. Knows who a sender is, or answers
/// nothing; routes by role.
using door_actor = feed_source_actor::extend<
    caf::replies_to<hello_challenge_request>::with<hello_challenge>,
    caf::replies_to<hello>::with<welcome>, caf::replies_to<proposal>::with<outcomes>,
    caf::replies_to<group_status_request>::with<group_status>,
    caf::replies_to<snapshot_chunk_request>::with<snapshot_chunk>, caf::reacts_to<replica_message>,
    caf::replies_to<prepare_migration>::with<migration_prepared>,
    caf::replies_to<migration_performed>::with<ok_atom>, caf::replies_to<kill_actor>::with<ok_atom>,
    caf::replies_to<actor_tree_request>::with<actor_tree>>;

/// Tells the log of this node, and keeps the book of the others.
using roster_actor = caf::typed_actor<
    // Time to register, and to follow the feed.
    caf::reacts_to<tick_atom>>;

/// Links to the other nodes, made on demand.
using peers_actor = caf::typed_actor<
    // A link to this node at this address ("host:port").
    caf::replies_to<caf::connect_atom, node_id, std::string>::with<link_actor>>;

/// The bridge between the HTTP edge's threads and the actors.
using gateway_actor = caf::typed_actor<
    // Run this here, on the actor: a request's question, or the edge's wish.
    caf::reacts_to<continuation>, caf::reacts_to<tick_atom>>;

} // namespace novacron

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const novacron::child_spec>)
