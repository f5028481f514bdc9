#include "messages/summary.hpp"

#include "messages/names.hpp"

#include <initializer_list>
#include <string_view>

namespace novacron {

namespace {

std::string line(std::string_view type, std::initializer_list<std::string> parts) {
  std::string text{type};
  text += '(';
  std::string_view separator;
  for (const auto& part : parts) {
    text += separator;
    text += part;
    separator = ", ";
  }
  text += ')';
  return text;
}

std::string number(std::string_view what, uint64_t value) {
  return std::string{what} + ' ' + std::to_string(value);
}

std::string count(size_t n, std::string_view what) {
  return std::to_string(n) + ' ' + std::string{what};
}

template <class Kind>
std::string named(std::string_view what, const id<Kind>& x) {
  return std::string{what} + ' ' + to_string(x);
}

struct body_summary {
  std::string operator()(const create_vm& x) const { return named("create_vm", x.vm); }
  std::string operator()(const request_state& x) const {
    return named("request_state", x.vm) + ' ' + to_string(x.requested);
  }
  std::string operator()(const reserve_migration& x) const {
    return named("reserve_migration", x.migration);
  }
  std::string operator()(const decide_migration& x) const {
    return named("decide_migration", x.migration) + ' ' + std::string{word_of(x.decision)};
  }
  std::string operator()(const host_report& x) const {
    return named("host_report", x.host) + ' ' + std::to_string(x.sequence);
  }
  std::string operator()(const register_host& x) const { return named("register_host", x.host.id); }
  std::string operator()(const renew_lease& x) const { return named("renew_lease", x.host); }
  std::string operator()(const expire_lease& x) const { return named("expire_lease", x.host); }
  std::string operator()(const barrier&) const { return "barrier"; }
  std::string operator()(const compare_states&) const { return "compare_states"; }
  std::string operator()(const confirm_inventory& x) const {
    return named("confirm_inventory", x.host);
  }
  std::string operator()(const replace_vm& x) const { return named("replace_vm", x.vm); }
  std::string operator()(const fence_host& x) const { return named("fence_host", x.host); }
  std::string operator()(const maintain_host& x) const {
    return named("maintain_host", x.host) + ' ' + std::string{word_of(x.wish)};
  }
  std::string operator()(const start_rebalance& x) const {
    return named("start_rebalance", x.task) + ' ' + count(x.moves.size(), "moves");
  }
  std::string operator()(const move_vm& x) const { return named("move_vm", x.vm); }
  std::string operator()(const note_move& x) const { return named("note_move", x.vm); }
  std::string operator()(const cancel_task& x) const { return named("cancel_task", x.task); }
  std::string operator()(const register_node& x) const { return named("register_node", x.node.id); }
  std::string operator()(const wish_member& x) const {
    return named("wish_member", x.node) + ' ' + to_string(x.wish);
  }
  std::string operator()(const make_join_token& x) const {
    return named("make_join_token", x.token);
  }
  std::string operator()(const use_join_token& x) const { return named("use_join_token", x.token); }
  std::string operator()(const recover_cluster& x) const {
    return named("recover_cluster", x.survivor);
  }
};

std::string record_summary(const any_record& x) {
  return to_string(type_of(x)) + ' ' + to_string(id_of(x));
}

} // namespace

std::string to_string(const command& x) {
  return line("command", {std::visit(body_summary{}, x.body)});
}

std::string to_string(const command_batch& x) {
  return line("command_batch", {count(x.commands.size(), "commands"), number("group", x.group),
                                number("timeline", x.timeline)});
}

std::string to_string(const command_outcome& x) {
  return line("command_outcome", {to_string(x.error), number("revision", x.revision)});
}

std::string to_string(const lease_record& x) {
  return line("lease_record", {named("host", x.host), number("renewal", x.renewal)});
}

std::string to_string(const stored_record& x) {
  return line("stored_record", {record_summary(x.record)});
}

std::string to_string(const stored_answer& x) {
  return line("stored_answer", {to_string(x.outcome)});
}

std::string to_string(const change& x) {
  return line("change", {number("revision", x.revision), record_summary(x.record)});
}

std::string to_string(const feed_listing& x) {
  return line("feed_listing", {number("revision", x.revision), count(x.records.size(), "records")});
}

std::string to_string(const feed_changes& x) {
  return line("feed_changes", {number("revision", x.revision), count(x.changes.size(), "changes"),
                               count(x.progress.size(), "progress")});
}

std::string to_string(const feed_filter& x) {
  return line("feed_filter", {x.host.nil() ? "everything" : named("host", x.host)});
}

std::string to_string(const migration_progress& x) {
  return line("migration_progress", {to_string(x.migration), x.phase, number("round", x.round)});
}

std::string to_string(const proposal& x) {
  return line("proposal", {count(x.commands.size(), "commands")});
}

std::string to_string(const outcomes& x) {
  return line("outcomes", {count(x.each.size(), "outcomes")});
}

std::string to_string(const list_request& x) {
  return line("list_request", {to_string(x.filter), x.from.empty() ? "from the start" : "further",
                               x.linearizable ? "linearizable" : "local"});
}

std::string to_string(const pull_request& x) {
  return line("pull_request", {number("after", x.after), to_string(x.filter)});
}

std::string to_string(const hello_challenge_request&) {
  return line("hello_challenge_request", {});
}

std::string to_string(const hello_challenge&) {
  return line("hello_challenge", {});
}

std::string to_string(const hello& x) {
  return line("hello", {named("node", x.node), x.name, number("timeline", x.timeline),
                        number("version", x.version)});
}

std::string to_string(const welcome& x) {
  return line("welcome", {named("node", x.node), x.name, number("timeline", x.timeline),
                          number("version", x.version)});
}

std::string to_string(const prepare_migration& x) {
  return line("prepare_migration",
              {to_string(x.migration), named("vm", x.vm), "epoch " + to_string(x.epoch)});
}

std::string to_string(const migration_prepared& x) {
  return line("migration_prepared", {to_string(x.migration), x.page_address});
}

std::string to_string(const migration_performed& x) {
  return line("migration_performed", {to_string(x.migration)});
}

std::string to_string(const kill_actor& x) {
  return line("kill_actor", {named("node", x.node), x.path});
}

std::string to_string(const replica_message& x) {
  return line("replica_message", {number("number", x.number), count(x.bytes.size(), "bytes")});
}

std::string to_string(const replica_message_taken& x) {
  return line("replica_message_taken", {number("number", x.number)});
}

std::string to_string(const snapshot_chunk_request& x) {
  return line("snapshot_chunk_request", {x.from.empty() ? "from the start" : "further"});
}

std::string to_string(const snapshot_chunk& x) {
  return line("snapshot_chunk", {count(x.records.size(), "bytes")});
}

std::string to_string(const group_status_request& x) {
  return line("group_status_request", {x.linearizable ? "linearizable" : "local"});
}

std::string to_string(const group_status& x) {
  return line("group_status",
              {named("node", x.node), named("leads", x.leads), number("term", x.term)});
}

std::string to_string(const actor_tree_request& x) {
  return line("actor_tree_request", {named("node", x.node), x.path});
}

std::string to_string(const actor_tree& x) {
  return line("actor_tree", {named("node", x.node), count(x.actors.size(), "actors")});
}

} // namespace novacron
