#pragma once

#include "messages/changes.hpp"
#include "messages/commands.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace novacron {

// What nodes say to each other. All of it passes through the one published
// actor of a node, its door, after both ends have proved who they are.

// -- hello -----------------------------------------------------------------------
//
//     link                                 door
//      │── hello_challenge_request(n1) ─────▶│
//      │◀─ hello_challenge(n2, cert, sig n1)─│   the door is who its certificate says
//      │── hello(cert, sig n2, …) ──────────▶│   so is the link
//      │◀─ welcome ──────────────────────────│

/// Version of the messages between nodes; a node accepts its own and the one before.
/// Of a later one it can't know whether it may: the later one's end decides.
inline constexpr uint32_t mesh_version = 1;

using nonce = std::array<std::byte, 32>;

struct hello_challenge_request {
  nonce challenge{};

  friend bool operator==(const hello_challenge_request&, const hello_challenge_request&) = default;
};

/// The door's proof of identity, and its own question.
struct hello_challenge {
  nonce challenge{};
  std::string certificate;          ///< PEM; its SAN holds the node's uuid and roles
  std::vector<std::byte> signature; ///< over the other end's challenge, see actors/peer
  friend bool operator==(const hello_challenge&, const hello_challenge&) = default;
};

struct hello {
  node_id node;
  std::string name;
  cluster_id cluster;
  uint32_t timeline = 0;
  uint32_t version = mesh_version;
  std::string certificate;
  std::vector<std::byte> signature;

  friend bool operator==(const hello&, const hello&) = default;
};

struct welcome {
  node_id node;
  std::string name;
  uint32_t timeline = 0;
  uint32_t version = mesh_version;

  friend bool operator==(const welcome&, const welcome&) = default;
};

// -- proposals and the feed ------------------------------------------------------

/// Commands for the log. A `create_vm` without a host and a `reserve_migration`
/// without a destination are placed by the scheduler.
struct proposal {
  std::vector<command> commands;

  friend bool operator==(const proposal&, const proposal&) = default;
};

/// One for each command of the proposal, in its order.
struct outcomes {
  std::vector<command_outcome> each;

  friend bool operator==(const outcomes&, const outcomes&) = default;
};

struct list_request {
  feed_filter filter;
  std::string from;             ///< a listing's `next`; empty: the first page
  uint32_t limit_bytes = 65536; ///< stops after the record that reaches it
  bool linearizable = false;    ///< only after everything acknowledged before is applied
  vm_id only;                   ///< not nil: this VM's record alone, whatever the filter says

  friend bool operator==(const list_request&, const list_request&) = default;
};

struct pull_request {
  uint64_t after = 0; ///< revision
  feed_filter filter;
  uint32_t limit_bytes = 65536;
  std::chrono::milliseconds wait{0}; ///< answer empty only after this; at most 10 s

  friend bool operator==(const pull_request&, const pull_request&) = default;
};

// -- the group of replicas -------------------------------------------------------

/// What one replica tells another: consensus' own encoding, at most 64 KiB.
struct replica_message {
  uint64_t number = 0; ///< counts up, per link
  std::vector<std::byte> bytes;

  friend bool operator==(const replica_message&, const replica_message&) = default;
};

/// How many of a replica's messages a link numbers between two of these.
inline constexpr uint64_t replica_message_credit = 16;

/// The door has passed on the messages up to this one: the credit that the link
/// sends by.
struct replica_message_taken {
  uint64_t number = 0;

  friend bool operator==(const replica_message_taken&, const replica_message_taken&) = default;
};

/// A part of a snapshot that is being fetched. What was fetched before need not
/// be fetched again: `from` says where to go on.
struct snapshot_chunk_request {
  std::string reference; ///< from the offer
  std::string from;      ///< the previous chunk's `next`; empty: the beginning
  uint32_t limit_bytes = 256u << 10;

  friend bool operator==(const snapshot_chunk_request&, const snapshot_chunk_request&) = default;
};

struct snapshot_chunk {
  std::vector<std::byte> records;
  std::string next;  ///< where to go on; empty: this was the last one
  uint64_t hash = 0; ///< `rolling_hash` of `records`
  /// "address:port" at which the others can be had without the mesh; empty: nowhere.
  std::string plane{};

  friend bool operator==(const snapshot_chunk&, const snapshot_chunk&) = default;
};

/// How do the replicas stand?
struct group_status_request {
  /// Only the leader answers, and only once everything acknowledged before is
  /// applied there: `applied_index` is what a reader must have seen.
  bool linearizable = false;

  friend bool operator==(const group_status_request&, const group_status_request&) = default;
};

struct group_member {
  node_id node;
  bool voter = true;         ///< else a standby, which gets the log and doesn't vote
  bool online = false;       ///< heard of within two election timeouts; only the leader knows
  uint64_t stored_index = 0; ///< how far its log is known to be; only the leader knows
  uint32_t knows = 0;        ///< the newest cluster version that its program knows; 0: not heard of
  uint64_t compared_index = 0; ///< its state was seen to be the answering one's here; 0: not yet

  friend bool operator==(const group_member&, const group_member&) = default;
};

/// How the replicas stand, as the one on `node` sees it.
struct group_status {
  node_id node;
  node_id leads; ///< nil: nobody is known to
  uint64_t term = 0;
  uint64_t commit_index = 0;
  uint64_t applied_index = 0;
  uint32_t timeline = 0;
  std::vector<group_member> members;
  bool installing = false;      ///< it fetches or installs a snapshot
  std::string refused;          ///< not empty: it takes no part any more, and why
  uint64_t disk = 0;            ///< of the database of the replica on `node`
  std::string changing;         ///< what the leader does to the members, and what holds it up
  uint32_t cluster_version = 0; ///< of the state

  [[nodiscard]] bool by_leader() const { return !leads.nil() && leads == node; }
  friend bool operator==(const group_status&, const group_status&) = default;
};

// -- migrations, host to host ----------------------------------------------------

/// Source to destination: make an incoming guest and expect its pages.
struct prepare_migration {
  migration_id migration;
  vm_id vm;
  novacron::epoch epoch; ///< of the guest at the source
  std::string domain_xml;
  std::string cookie;

  friend bool operator==(const prepare_migration&, const prepare_migration&) = default;
};

struct migration_prepared {
  migration_id migration;
  std::string cookie;
  std::string page_address;          ///< "address:port"
  std::array<std::byte, 32> token{}; ///< opens the page session, once; never logged

  friend bool operator==(const migration_prepared&, const migration_prepared&) = default;
};

/// Source to destination: Perform has ended well; the source is paused. The
/// answer says that the destination has released everything, digest equal.
struct migration_performed {
  migration_id migration;
  std::string cookie;

  friend bool operator==(const migration_performed&, const migration_performed&) = default;
};

// -- faults on purpose -----------------------------------------------------------

/// Kill the actor at `path` ("guests/vm-<id>", "services/replica", …) on `node`; only
/// where the configuration allows chaos.
struct kill_actor {
  node_id node;
  std::string path;

  friend bool operator==(const kill_actor&, const kill_actor&) = default;
};

// -- trees of actors -------------------------------------------------------------

/// What a supervisor knows of a child.
enum class actor_state : uint8_t {
  running = 0,
  stopping = 1,   ///< it was asked to end
  restarting = 2, ///< it died, and is started again soon
  ended = 3,      ///< and isn't started again by itself
};
std::string to_string(actor_state x);

/// One actor of a node's tree.
struct actor_status {
  std::string path; ///< below the node: "services/feed", "guests/vm-<id>"
  bool supervisor = false;
  actor_state state = actor_state::running;
  uint32_t restarts = 0;
  std::chrono::milliseconds up{0}; ///< since its last start; 0 unless it runs
  std::optional<uint64_t> mailbox; ///< messages that wait or are handled; unset: not counted
  std::string last_failure;        ///< why it last died; empty: it never did

  friend bool operator==(const actor_status&, const actor_status&) = default;
};

/// A supervisor's children of one kind that an answer leaves out.
struct actor_group {
  std::string path; ///< the supervisor's
  std::string kind; ///< what stands before the '-' in their names: "vm", "migration"
  uint32_t count = 0;
  uint32_t running = 0;
  uint64_t restarts = 0;
  uint64_t mailbox = 0; ///< the sum of theirs

  friend bool operator==(const actor_group&, const actor_group&) = default;
};

/// Another node that the one which answers has a link with.
struct linked_node {
  node_id node;
  std::string name;
  bool controller = false;

  friend bool operator==(const linked_node&, const linked_node&) = default;
};

/// The most children of one supervisor that an answer may list: so many, with
/// the longest reasons, stay below 64 KiB.
inline constexpr uint32_t most_children_shown = 150;

/// Show the tree of a node, or what is below one of its supervisors.
struct actor_tree_request {
  node_id node;       ///< nil: whoever is asked
  std::string path;   ///< of a supervisor; empty: the whole node
  uint64_t after = 0; ///< go on where an answer's `next` says; with `path` only
  uint32_t children = most_children_shown; ///< of each supervisor, at most

  friend bool operator==(const actor_tree_request&, const actor_tree_request&) = default;
};

struct actor_tree {
  node_id node;
  std::string name;
  std::vector<actor_status> actors; ///< each supervisor before its children, in starting order
  std::vector<actor_group> more;    ///< what was left out
  uint64_t next = 0;                ///< 0: all children of the supervisor at the top were shown
  std::vector<linked_node> links;

  friend bool operator==(const actor_tree&, const actor_tree&) = default;
};

} // namespace novacron
