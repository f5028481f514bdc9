#include "messages/codec.hpp"

#include "messages/schema_mapping.hpp"

#include <capnp/schema.h>
#include <capnp/serialize.h>
#include <cstdint>
#include <cstring>
#include <kj/exception.h>
#include <kj/io.h>

namespace novacron {

namespace {

/// Deepest nesting of ours is six (batch, commands, command, report, VMs, epoch).
constexpr int nesting_limit = 16;

/// Which schema a type travels as.
template <class T>
struct schema_of;

template <class Schema>
struct travels_as {
  using type = Schema;
};

// clang-format off
template <> struct schema_of<command> : travels_as<schema::Command> {};
template <> struct schema_of<command_batch> : travels_as<schema::CommandBatch> {};
template <> struct schema_of<command_outcome> : travels_as<schema::CommandOutcome> {};
template <> struct schema_of<lease_record> : travels_as<schema::LeaseRecord> {};
template <> struct schema_of<stored_record> : travels_as<schema::Record> {};
template <> struct schema_of<stored_answer> : travels_as<schema::StoredAnswer> {};
template <> struct schema_of<change> : travels_as<schema::Change> {};
template <> struct schema_of<feed_listing> : travels_as<schema::FeedListing> {};
template <> struct schema_of<feed_changes> : travels_as<schema::FeedChanges> {};
template <> struct schema_of<feed_filter> : travels_as<schema::FeedFilter> {};
template <> struct schema_of<migration_progress> : travels_as<schema::MigrationProgress> {};
template <> struct schema_of<proposal> : travels_as<schema::Proposal> {};
template <> struct schema_of<outcomes> : travels_as<schema::Outcomes> {};
template <> struct schema_of<list_request> : travels_as<schema::ListRequest> {};
template <> struct schema_of<pull_request> : travels_as<schema::PullRequest> {};
template <> struct schema_of<hello_challenge_request> : travels_as<schema::HelloChallengeRequest> {};
template <> struct schema_of<hello_challenge> : travels_as<schema::HelloChallenge> {};
template <> struct schema_of<hello> : travels_as<schema::Hello> {};
template <> struct schema_of<welcome> : travels_as<schema::Welcome> {};
template <> struct schema_of<prepare_migration> : travels_as<schema::PrepareMigration> {};
template <> struct schema_of<migration_prepared> : travels_as<schema::MigrationPrepared> {};
template <> struct schema_of<migration_performed> : travels_as<schema::MigrationPerformed> {};
template <> struct schema_of<kill_actor> : travels_as<schema::KillActor> {};
template <> struct schema_of<replica_message> : travels_as<schema::ReplicaMessage> {};
template <> struct schema_of<replica_message_taken> : travels_as<schema::ReplicaMessageTaken> {};
template <> struct schema_of<snapshot_chunk_request> : travels_as<schema::SnapshotChunkRequest> {};
template <> struct schema_of<snapshot_chunk> : travels_as<schema::SnapshotChunk> {};
template <> struct schema_of<group_status_request> : travels_as<schema::GroupStatusRequest> {};
template <> struct schema_of<group_status> : travels_as<schema::GroupStatus> {};
template <> struct schema_of<actor_tree_request> : travels_as<schema::ActorTreeRequest> {};
template <> struct schema_of<actor_tree> : travels_as<schema::ActorTree> {};
// clang-format on

failure refusal(codec_errc code, capnp::Schema schema, size_t size, std::string_view why) {
  std::string message = "cannot decode a ";
  message += schema.getShortDisplayName().cStr();
  message += " of " + std::to_string(size) + " bytes: ";
  message += why;
  return {make_error_code(code), std::move(message)};
}

/// The input as words: in place where it lies on a word's boundary, else a copy.
class aligned_words {
public:
  explicit aligned_words(std::span<const std::byte> bytes) {
    auto count = bytes.size() / sizeof(capnp::word);
    if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(capnp::word) == 0) {
      words_ = kj::arrayPtr(reinterpret_cast<const capnp::word*>(bytes.data()), count);
      return;
    }
    copy_ = kj::heapArray<capnp::word>(count);
    std::memcpy(copy_.begin(), bytes.data(), bytes.size());
    words_ = copy_;
  }

  [[nodiscard]] kj::ArrayPtr<const capnp::word> get() const { return words_; }

private:
  kj::Array<capnp::word> copy_;
  kj::ArrayPtr<const capnp::word> words_;
};

} // namespace

template <class T>
std::vector<std::byte> encode(const T& x) {
  capnp::MallocMessageBuilder message;
  write(message.initRoot<typename schema_of<T>::type>(), x);
  std::vector<std::byte> bytes(capnp::computeSerializedSizeInWords(message) * sizeof(capnp::word));
  kj::ArrayOutputStream out{kj::arrayPtr(reinterpret_cast<kj::byte*>(bytes.data()), bytes.size())};
  capnp::writeMessage(out, message);
  return bytes;
}

template <class T>
result<T> decode(std::span<const std::byte> bytes) {
  using schema_type = typename schema_of<T>::type;
  auto refuse = [&](codec_errc code, std::string_view why) {
    return refusal(code, capnp::Schema::from<schema_type>(), bytes.size(), why);
  };
  if (bytes.size() > max_encoded_bytes)
    return refuse(codec_errc::too_large,
                  "larger than any message may be; send or keep less at once");
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0)
    return refuse(codec_errc::malformed,
                  "not a whole number of words; it was cut or is no message");
  try {
    aligned_words words{bytes};
    auto size = words.get().size();
    capnp::ReaderOptions limits;
    limits.traversalLimitInWords = 2 * size;
    limits.nestingLimit = nesting_limit;
    capnp::FlatArrayMessageReader message{words.get(), limits};
    if (message.getEnd() != words.get().end())
      return refuse(codec_errc::malformed, "bytes follow the message; it is no message of ours");
    reading budget{size};
    T x;
    if (!read(budget, message.getRoot<schema_type>(), x))
      return refuse(codec_errc::out_of_range,
                    "a value that its type doesn't allow; a newer version or a fault wrote it");
    return x;
  } catch (const kj::Exception& error) {
    return refuse(codec_errc::malformed, error.getDescription().cStr());
  }
}

std::vector<std::byte> canonical_form(std::span<const std::byte> encoded_change) {
  aligned_words words{encoded_change};
  capnp::FlatArrayMessageReader message{words.get()};
  const auto form = capnp::canonicalize(message.getRoot<schema::Change>());
  const auto bytes = std::as_bytes(std::span{form.begin(), form.size()});
  return {bytes.begin(), bytes.end()};
}

// -- instantiations ----------------------------------------------------------------

#define NOVACRON_CARRIED(type)                                                                     \
  static_assert(carried<type>);                                                                    \
  template std::vector<std::byte> encode<type>(const type&);                                       \
  template result<type> decode<type>(std::span<const std::byte>);

NOVACRON_CARRIED(command)
NOVACRON_CARRIED(command_batch)
NOVACRON_CARRIED(command_outcome)
NOVACRON_CARRIED(lease_record)
NOVACRON_CARRIED(stored_record)
NOVACRON_CARRIED(stored_answer)
NOVACRON_CARRIED(change)
NOVACRON_CARRIED(feed_listing)
NOVACRON_CARRIED(feed_changes)
NOVACRON_CARRIED(feed_filter)
NOVACRON_CARRIED(migration_progress)
NOVACRON_CARRIED(proposal)
NOVACRON_CARRIED(outcomes)
NOVACRON_CARRIED(list_request)
NOVACRON_CARRIED(pull_request)
NOVACRON_CARRIED(hello_challenge_request)
NOVACRON_CARRIED(hello_challenge)
NOVACRON_CARRIED(hello)
NOVACRON_CARRIED(welcome)
NOVACRON_CARRIED(prepare_migration)
NOVACRON_CARRIED(migration_prepared)
NOVACRON_CARRIED(migration_performed)
NOVACRON_CARRIED(kill_actor)
NOVACRON_CARRIED(replica_message)
NOVACRON_CARRIED(replica_message_taken)
NOVACRON_CARRIED(snapshot_chunk_request)
NOVACRON_CARRIED(snapshot_chunk)
NOVACRON_CARRIED(group_status_request)
NOVACRON_CARRIED(group_status)
NOVACRON_CARRIED(actor_tree_request)
NOVACRON_CARRIED(actor_tree)

#undef NOVACRON_CARRIED

} // namespace novacron
