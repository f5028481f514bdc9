#include "storage/replication/wire.hpp"

#include "storage/log/fields.hpp"
#include "storage/overloaded.hpp"
#include "storage/replication/transport.hpp"

#include <memory>

namespace novacron {

namespace {

constexpr uint8_t wire_version = 1;
constexpr uint8_t word_kind = 6; ///< behind those of `raft_message_body`

void put_bytes(field_writer& to, std::span<const std::byte> bytes) {
  to.number(static_cast<uint32_t>(bytes.size())).bytes(bytes);
}

void put_body(field_writer& to, const raft_message_body& body) {
  to.number(static_cast<uint8_t>(body.index()));
  std::visit(
      overloaded{
          [&](const vote_request& x) {
            to.number(x.term).number(x.candidate).number(x.last_index).number(x.last_term);
            to.number(static_cast<uint8_t>(x.disrupt_leader | x.pre_vote << 1));
          },
          [&](const vote_answer& x) {
            to.number(x.term).number(static_cast<uint8_t>(x.granted | x.pre_vote << 1));
            to.number(x.features).number(x.capacity);
          },
          [&](const append_request& x) {
            to.number(x.term).number(x.previous_index).number(x.previous_term);
            to.number(x.leader_commit).number(static_cast<uint32_t>(x.entries.size()));
            for (const auto& entry : x.entries) {
              to.number(entry.term).number(static_cast<uint8_t>(entry.kind));
              put_bytes(to, *entry.data);
            }
          },
          [&](const append_answer& x) {
            to.number(x.term).number(x.rejected).number(x.last_index);
            to.number(x.features).number(x.capacity);
          },
          [&](const take_over& x) { to.number(x.term).number(x.last_index).number(x.last_term); },
          [&](const install_request& x) {
            const auto& snapshot = x.snapshot;
            to.number(x.term).number(snapshot.index).number(snapshot.term);
            to.number(snapshot.configuration_index);
            put_bytes(to, snapshot.configuration);
            put_bytes(to, std::as_bytes(std::span{snapshot.reference}));
          }},
      body);
}

void put_word(field_writer& to, const replica_word& word) {
  to.number(word_kind).number(word.knows).number(word.sum.index).number(word.sum.hash);
}

replica_word get_word(field_reader& from) {
  replica_word word;
  word.knows = from.number<uint32_t>();
  word.sum.index = from.number<uint64_t>();
  word.sum.hash = from.number<uint64_t>();
  if (from.good())
    from.rest();
  return word;
}

/// Reads what `put_bytes` wrote.
std::string_view get_bytes(field_reader& from) {
  return from.text(from.number<uint32_t>());
}

log_entry::bytes to_bytes(std::string_view text) {
  const auto view = std::as_bytes(std::span{text});
  return {view.begin(), view.end()};
}

append_request get_append(field_reader& from) {
  append_request x;
  x.term = from.number<uint64_t>();
  x.previous_index = from.number<uint64_t>();
  x.previous_term = from.number<uint64_t>();
  x.leader_commit = from.number<uint64_t>();
  const auto count = from.number<uint32_t>();
  if (count > from.left() / entry_head_bytes) {
    from.spoil();
    return x;
  }
  x.entries.reserve(count);
  for (uint32_t i = 0; i < count && from.good(); ++i) {
    log_entry entry;
    entry.term = from.number<uint64_t>();
    const auto kind = from.number<uint8_t>();
    if (entry.term == 0 || kind < static_cast<uint8_t>(entry_kind::command)
        || kind > static_cast<uint8_t>(entry_kind::configuration))
      from.spoil();
    entry.kind = static_cast<entry_kind>(kind);
    entry.data = std::make_shared<const log_entry::bytes>(to_bytes(get_bytes(from)));
    x.entries.push_back(std::move(entry));
  }
  return x;
}

std::optional<raft_message_body> get_body(uint8_t kind, field_reader& from) {
  switch (kind) {
  case 0: {
    vote_request x;
    x.term = from.number<uint64_t>();
    x.candidate = from.number<uint64_t>();
    x.last_index = from.number<uint64_t>();
    x.last_term = from.number<uint64_t>();
    const auto flags = from.number<uint8_t>();
    x.disrupt_leader = (flags & 1) != 0;
    x.pre_vote = (flags & 2) != 0;
    return x;
  }
  case 1: {
    vote_answer x;
    x.term = from.number<uint64_t>();
    const auto flags = from.number<uint8_t>();
    x.granted = (flags & 1) != 0;
    x.pre_vote = (flags & 2) != 0;
    x.features = from.number<uint16_t>();
    x.capacity = from.number<uint16_t>();
    return x;
  }
  case 2:
    return get_append(from);
  case 3: {
    append_answer x;
    x.term = from.number<uint64_t>();
    x.rejected = from.number<uint64_t>();
    x.last_index = from.number<uint64_t>();
    x.features = from.number<uint16_t>();
    x.capacity = from.number<uint16_t>();
    return x;
  }
  case 4: {
    take_over x;
    x.term = from.number<uint64_t>();
    x.last_index = from.number<uint64_t>();
    x.last_term = from.number<uint64_t>();
    return x;
  }
  case 5: {
    install_request x;
    x.term = from.number<uint64_t>();
    x.snapshot.index = from.number<uint64_t>();
    x.snapshot.term = from.number<uint64_t>();
    x.snapshot.configuration_index = from.number<uint64_t>();
    x.snapshot.configuration = to_bytes(get_bytes(from));
    x.snapshot.reference = get_bytes(from);
    return x;
  }
  default:
    return {};
  }
}

} // namespace

std::vector<std::byte> encode(const raft_envelope& message) {
  field_writer to;
  to.number(wire_version).number(message.group).number(message.timeline);
  to.number(message.from).number(message.to).number(message.from_disk).number(message.to_disk);
  to.number(message.tag.session).number(message.tag.number);
  if (message.word)
    put_word(to, *message.word);
  else
    put_body(to, message.body);
  return to_bytes(to.take());
}

std::optional<raft_envelope> decode_envelope(std::span<const std::byte> bytes) {
  field_reader from{{reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
  if (from.number<uint8_t>() != wire_version)
    return {};
  raft_envelope message;
  message.group = from.number<uint32_t>();
  message.timeline = from.number<uint32_t>();
  message.from = from.number<uint64_t>();
  message.to = from.number<uint64_t>();
  message.from_disk = from.number<uint64_t>();
  message.to_disk = from.number<uint64_t>();
  message.tag.session = from.number<uint64_t>();
  message.tag.number = from.number<uint64_t>();
  if (const auto kind = from.number<uint8_t>(); kind == word_kind) {
    message.word = get_word(from);
  } else {
    auto body = get_body(kind, from);
    if (!body)
      return {};
    message.body = std::move(*body);
  }
  if (!from.good() || !from.at_end() || message.from == 0)
    return {};
  return message;
}

} // namespace novacron
