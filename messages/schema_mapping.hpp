#pragma once

// Private to messages/codec*.cpp: which field of a struct is which of its schema.

#include "messages/codec.hpp"
#include "messages/names.hpp"
#include "messages/schema/changes.capnp.h"
#include "messages/schema/commands.capnp.h"
#include "messages/schema/ids.capnp.h"
#include "messages/schema/migration_calls.capnp.h"
#include "messages/schema/peer.capnp.h"
#include "messages/schema/records.capnp.h"
#include "messages/schema/reports.capnp.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace novacron {

/// What reading one message may still cost. A list whose elements are narrower
/// on the wire than ours would yield far more memory than there was input, so
/// each element is charged with the width that its first version had.
class reading {
public:
  explicit reading(size_t words) : words_left_{words} {
    // nop
  }

  /// Pays for `count` elements of `words` each; false when the input can't have held them.
  [[nodiscard]] bool pay(size_t count, size_t words) {
    if (count > words_left_ / words)
      return false;
    words_left_ -= count * words;
    return true;
  }

private:
  size_t words_left_;
};

// -- leaves ------------------------------------------------------------------------
//
// `read` answers false for a value that the type doesn't allow; what `out` holds
// then is of no use. A malformed message throws kj::Exception, from any getter.

/// Times and durations reach the year 9999, so that adding two never overflows.
inline constexpr int64_t latest_milliseconds = 253'402'300'799'999;

inline int64_t milliseconds(log_time x) {
  return x.time_since_epoch().count();
}

inline int64_t milliseconds(std::chrono::milliseconds x) {
  return x.count();
}

[[nodiscard]] inline bool read(int64_t in, std::chrono::milliseconds& out) {
  out = std::chrono::milliseconds{in};
  return in >= -latest_milliseconds && in <= latest_milliseconds;
}

[[nodiscard]] inline bool read(int64_t in, log_time& out) {
  std::chrono::milliseconds since_1970{};
  auto good = read(in, since_1970);
  out = log_time{since_1970};
  return good;
}

/// Schema and struct number their values alike; a test compares their names.
template <class SchemaEnum, class Enum>
requires std::is_enum_v<SchemaEnum> && std::is_enum_v<Enum>
[[nodiscard]] bool read(SchemaEnum in, Enum& out) {
  auto number = static_cast<uint16_t>(in);
  out = static_cast<Enum>(number);
  return number < names<Enum>::words.size();
}

template <class SchemaEnum, class Enum>
SchemaEnum schema_enum(Enum x) {
  static_assert(names<Enum>::first == 0);
  return static_cast<SchemaEnum>(x);
}

/// Any bytes, as they are: neither UTF-8 nor the absence of zeros is checked.
inline capnp::Text::Reader text(const std::string& x) {
  return {x.c_str(), x.size()};
}

inline std::string text(capnp::Text::Reader x) {
  return {x.begin(), x.size()};
}

template <class Bytes>
capnp::Data::Reader octets(const Bytes& x) {
  return {reinterpret_cast<const kj::byte*>(x.data()), x.size()};
}

inline std::string text(capnp::Data::Reader x) {
  return {reinterpret_cast<const char*>(x.begin()), x.size()};
}

inline std::vector<std::byte> bytes(capnp::Data::Reader x) {
  auto* first = reinterpret_cast<const std::byte*>(x.begin());
  return {first, first + x.size()};
}

template <size_t N>
[[nodiscard]] bool read(capnp::Data::Reader in, std::array<std::byte, N>& out) {
  if (in.size() != N)
    return false;
  std::copy_n(reinterpret_cast<const std::byte*>(in.begin()), N, out.begin());
  return true;
}

inline void write(schema::Uuid::Builder out, const uuid& in) {
  out.setHigh(in.high);
  out.setLow(in.low);
}

template <class Kind>
void write(schema::Uuid::Builder out, const id<Kind>& in) {
  write(out, in.value);
}

template <class Kind>
void read(schema::Uuid::Reader in, id<Kind>& out) {
  out.value = {in.getHigh(), in.getLow()};
}

inline void write(schema::Epoch::Builder out, const epoch& in) {
  out.setTimeline(in.timeline);
  out.setNumber(in.number);
}

inline void read(schema::Epoch::Reader in, epoch& out) {
  out = {in.getTimeline(), in.getNumber()};
}

// -- lists -------------------------------------------------------------------------

template <class SchemaList, class T>
void write_list(SchemaList out, const std::vector<T>& in) {
  for (unsigned i = 0; i < out.size(); ++i)
    write(out[i], in[i]);
}

template <class SchemaList, class T>
[[nodiscard]] bool read_list(reading& budget, SchemaList in, std::vector<T>& out) {
  constexpr size_t narrowest_element = 3; // words, of all elements of our lists
  if (!budget.pay(in.size(), narrowest_element))
    return false;
  out.resize(in.size());
  for (unsigned i = 0; i < in.size(); ++i)
    if (!read(budget, in[i], out[i]))
      return false;
  return true;
}

/// A list's size in Cap'n Proto's type for it.
template <class Container>
unsigned list_size(const Container& x) {
  return static_cast<unsigned>(x.size());
}

/// Texts, one by one; each is paid for with a word.
using text_list = std::vector<std::string>;
void write(capnp::List<capnp::Text>::Builder out, const text_list& in);
[[nodiscard]] bool read(reading& budget, capnp::List<capnp::Text>::Reader in, text_list& out);

/// Sorted by key.
using label_map = std::map<std::string, std::string>;
void write(capnp::List<schema::Label>::Builder out, const label_map& in);
[[nodiscard]] bool read(reading& budget, capnp::List<schema::Label>::Reader in, label_map& out);

// -- structs -----------------------------------------------------------------------

// codec_records.cpp
void write(schema::VmSpec::Builder out, const vm_spec& in);
void write(schema::HostRecord::Builder out, const host_record& in);
void write(schema::LeaseRecord::Builder out, const lease_record& in);
void write(schema::NodeRecord::Builder out, const node_record& in);
void write_roles(capnp::List<uint8_t>::Builder out, const std::vector<node_role>& in);
void write(schema::Record::Builder out, const any_record& in);
void write(schema::Record::Builder out, const stored_record& in);
[[nodiscard]] bool read(reading& budget, schema::VmSpec::Reader in, vm_spec& out);
[[nodiscard]] bool read(reading& budget, schema::HostRecord::Reader in, host_record& out);
[[nodiscard]] bool read(reading& budget, schema::LeaseRecord::Reader in, lease_record& out);
[[nodiscard]] bool read(reading& budget, schema::NodeRecord::Reader in, node_record& out);
[[nodiscard]] bool read_roles(reading& budget, capnp::List<uint8_t>::Reader in,
                              std::vector<node_role>& out);
[[nodiscard]] bool read(reading& budget, schema::Record::Reader in, any_record& out);
[[nodiscard]] bool read(reading& budget, schema::Record::Reader in, stored_record& out);

// codec_migrations.cpp
void write(schema::MigrationCost::Builder out, const migration_cost& in);
void write(schema::MigrationTerms::Builder out, const migration_terms& in);
void write(schema::MigrationRecord::Builder out, const migration_record& in);
[[nodiscard]] bool read(reading& budget, schema::MigrationCost::Reader in, migration_cost& out);
[[nodiscard]] bool read(schema::MigrationTerms::Reader in, migration_terms& out);
[[nodiscard]] bool read(reading& budget, schema::MigrationRecord::Reader in, migration_record& out);

// codec_tasks.cpp
void write(schema::TaskRecord::Builder out, const task_record& in);
void write(schema::PlannedMove::Builder out, const planned_move& in);
[[nodiscard]] bool read(reading& budget, schema::TaskRecord::Reader in, task_record& out);
[[nodiscard]] bool read(reading& budget, schema::PlannedMove::Reader in, planned_move& out);

// codec_commands.cpp
void write(schema::Command::Builder out, const command& in);
void write(schema::CommandBatch::Builder out, const command_batch& in);
void write(schema::CommandOutcome::Builder out, const command_outcome& in);
void write(schema::StoredAnswer::Builder out, const stored_answer& in);
[[nodiscard]] bool read(reading& budget, schema::Command::Reader in, command& out);
[[nodiscard]] bool read(reading& budget, schema::CommandBatch::Reader in, command_batch& out);
[[nodiscard]] bool read(reading& budget, schema::CommandOutcome::Reader in, command_outcome& out);
[[nodiscard]] bool read(reading& budget, schema::StoredAnswer::Reader in, stored_answer& out);

// codec_reports.cpp
void write(schema::HostReport::Builder out, const host_report& in);
void write(schema::MigrationProgress::Builder out, const migration_progress& in);
[[nodiscard]] bool read(reading& budget, schema::HostReport::Reader in, host_report& out);
[[nodiscard]] bool read(reading& budget, schema::MigrationProgress::Reader in,
                        migration_progress& out);

// codec_changes.cpp
void write(schema::Change::Builder out, const change& in);
void write(schema::FeedFilter::Builder out, const feed_filter& in);
void write(schema::FeedListing::Builder out, const feed_listing& in);
void write(schema::FeedChanges::Builder out, const feed_changes& in);
[[nodiscard]] bool read(reading& budget, schema::Change::Reader in, change& out);
[[nodiscard]] bool read(reading& budget, schema::FeedFilter::Reader in, feed_filter& out);
[[nodiscard]] bool read(reading& budget, schema::FeedListing::Reader in, feed_listing& out);
[[nodiscard]] bool read(reading& budget, schema::FeedChanges::Reader in, feed_changes& out);

// codec_peer.cpp
void write(schema::HelloChallengeRequest::Builder out, const hello_challenge_request& in);
void write(schema::HelloChallenge::Builder out, const hello_challenge& in);
void write(schema::Hello::Builder out, const hello& in);
void write(schema::Welcome::Builder out, const welcome& in);
void write(schema::Proposal::Builder out, const proposal& in);
void write(schema::Outcomes::Builder out, const outcomes& in);
void write(schema::ListRequest::Builder out, const list_request& in);
void write(schema::PullRequest::Builder out, const pull_request& in);
void write(schema::PrepareMigration::Builder out, const prepare_migration& in);
void write(schema::MigrationPrepared::Builder out, const migration_prepared& in);
void write(schema::MigrationPerformed::Builder out, const migration_performed& in);
void write(schema::KillActor::Builder out, const kill_actor& in);
[[nodiscard]] bool read(reading& budget, schema::HelloChallengeRequest::Reader in,
                        hello_challenge_request& out);
[[nodiscard]] bool read(reading& budget, schema::HelloChallenge::Reader in, hello_challenge& out);
[[nodiscard]] bool read(reading& budget, schema::Hello::Reader in, hello& out);
[[nodiscard]] bool read(reading& budget, schema::Welcome::Reader in, welcome& out);
[[nodiscard]] bool read(reading& budget, schema::Proposal::Reader in, proposal& out);
[[nodiscard]] bool read(reading& budget, schema::Outcomes::Reader in, outcomes& out);
[[nodiscard]] bool read(reading& budget, schema::ListRequest::Reader in, list_request& out);
[[nodiscard]] bool read(reading& budget, schema::PullRequest::Reader in, pull_request& out);
[[nodiscard]] bool read(reading& budget, schema::PrepareMigration::Reader in,
                        prepare_migration& out);
[[nodiscard]] bool read(reading& budget, schema::MigrationPrepared::Reader in,
                        migration_prepared& out);
[[nodiscard]] bool read(reading& budget, schema::MigrationPerformed::Reader in,
                        migration_performed& out);
[[nodiscard]] bool read(reading& budget, schema::KillActor::Reader in, kill_actor& out);

// codec_group.cpp
void write(schema::ReplicaMessage::Builder out, const replica_message& in);
void write(schema::ReplicaMessageTaken::Builder out, const replica_message_taken& in);
void write(schema::SnapshotChunkRequest::Builder out, const snapshot_chunk_request& in);
void write(schema::SnapshotChunk::Builder out, const snapshot_chunk& in);
void write(schema::GroupStatusRequest::Builder out, const group_status_request& in);
void write(schema::GroupStatus::Builder out, const group_status& in);
[[nodiscard]] bool read(reading& budget, schema::ReplicaMessage::Reader in, replica_message& out);
[[nodiscard]] bool read(reading& budget, schema::ReplicaMessageTaken::Reader in,
                        replica_message_taken& out);
[[nodiscard]] bool read(reading& budget, schema::SnapshotChunkRequest::Reader in,
                        snapshot_chunk_request& out);
[[nodiscard]] bool read(reading& budget, schema::SnapshotChunk::Reader in, snapshot_chunk& out);
[[nodiscard]] bool read(reading& budget, schema::GroupStatusRequest::Reader in,
                        group_status_request& out);
[[nodiscard]] bool read(reading& budget, schema::GroupStatus::Reader in, group_status& out);

// codec_actors.cpp
void write(schema::ActorTreeRequest::Builder out, const actor_tree_request& in);
void write(schema::ActorTree::Builder out, const actor_tree& in);
[[nodiscard]] bool read(reading& budget, schema::ActorTreeRequest::Reader in,
                        actor_tree_request& out);
[[nodiscard]] bool read(reading& budget, schema::ActorTree::Reader in, actor_tree& out);

} // namespace novacron
