#pragma once

#include "messages/changes.hpp"
#include "messages/commands.hpp"
#include "messages/peer.hpp"
#include "messages/result.hpp"

#include <concepts>
#include <cstddef>
#include <span>
#include <system_error>
#include <vector>

namespace novacron {

/// Why bytes could not be decoded.
enum class codec_errc : uint8_t {
  malformed = 1, ///< not Cap'n Proto, or pointers that lead outside
  too_large,     ///< beyond `max_encoded_bytes`
  out_of_range,  ///< a well-formed message with a value that its type doesn't allow
};

const std::error_category& codec_category();
std::error_code make_error_code(codec_errc code);

/// No message, stored or sent, is larger. Feeds and batches stay far below it.
inline constexpr size_t max_encoded_bytes = 4u << 20;

/// Writes `x` as a Cap'n Proto flat array: whole 8-byte words, the form in
/// which messages are stored and leave the node. Defined in `codec.cpp` for the
/// types of `carried`.
template <class T>
std::vector<std::byte> encode(const T& x);

/// Reads what `encode` wrote, of this version or an earlier one. Never throws;
/// bounded in memory by a small multiple of the input's size.
template <class T>
result<T> decode(std::span<const std::byte> bytes);

/// An encoded `change` in Cap'n Proto's canonical form: what two programs make of an
/// equal change, also if the schema of one has more fields, as long as none of those
/// is set. For hashes that replicas of different versions compare.
std::vector<std::byte> canonical_form(std::span<const std::byte> encoded_change);

/// A record as it is stored: any of the feed's records.
struct stored_record {
  any_record record;

  friend bool operator==(const stored_record&, const stored_record&) = default;
};

/// The answer to a call with an Idempotency-Key, as it is stored.
struct stored_answer {
  idempotency asked;
  command_outcome outcome;
  log_time expires;

  friend bool operator==(const stored_answer&, const stored_answer&) = default;
};

/// Messages with a Cap'n Proto schema.
template <class T>
concept carried = std::same_as<T, command> || std::same_as<T, command_batch> || std::same_as<
    T, command_outcome> || std::same_as<T, lease_record> || std::same_as<T, stored_record> || std::
    same_as<T, stored_answer> || std::same_as<T, change> || std::same_as<
        T, feed_listing> || std::same_as<T, feed_changes> || std::same_as<T, feed_filter> || std::
        same_as<T, migration_progress> || std::same_as<T, proposal> || std::same_as<
            T, outcomes> || std::same_as<T, list_request> || std::same_as<T, pull_request> || std::
            same_as<T, hello_challenge_request> || std::same_as<T, hello_challenge> || std::same_as<
                T, hello> || std::same_as<T, welcome> || std::same_as<T, prepare_migration> || std::
                same_as<T, migration_prepared> || std::same_as<T, migration_performed> || std::
                    same_as<T, kill_actor> || std::same_as<T, replica_message> || std::same_as<
                        T, replica_message_taken> || std::same_as<T,
                                                                  snapshot_chunk_request> || std::
                        same_as<T, snapshot_chunk> || std::same_as<T, group_status_request> || std::
                            same_as<T, group_status> || std::same_as<
                                T, actor_tree_request> || std::same_as<T, actor_tree>;

} // namespace novacron

template <>
struct std::is_error_code_enum<novacron::codec_errc> : std::true_type {};
