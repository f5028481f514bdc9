#include "messages/names.hpp"
#include "messages/schema/commands.capnp.h"
#include "messages/schema/peer.capnp.h"
#include "messages/schema/records.capnp.h"

#include <capnp/schema.h>
#include <cctype>
#include <doctest/doctest.h>
#include <set>

using namespace novacron;

namespace {

/// "rolled_back" as a schema writes it: "rolledBack".
std::string camel_case(std::string_view word) {
  std::string text;
  for (size_t i = 0; i < word.size(); ++i)
    if (word[i] == '_')
      text += static_cast<char>(std::toupper(static_cast<unsigned char>(word[++i])));
    else
      text += word[i];
  return text;
}

template <class Enum>
void check_words() {
  std::set<std::string_view> seen;
  for (auto word : words_of<Enum>()) {
    auto x = parse<Enum>(word);
    REQUIRE(x);
    CHECK(word_of(*x) == word);
    seen.insert(word);
  }
  CHECK(seen.size() == words_of<Enum>().size());
  CHECK(!parse<Enum>(""));
  CHECK(!parse<Enum>("Running"));
  CHECK(!parse<Enum>("unknown"));
}

template <class Enum, class SchemaEnum>
void check_schema() {
  auto enumerants = capnp::Schema::from<SchemaEnum>().getEnumerants();
  auto words = words_of<Enum>();
  REQUIRE(enumerants.size() == words.size());
  for (unsigned i = 0; i < enumerants.size(); ++i)
    CHECK(enumerants[i].getProto().getName() == camel_case(words[i]));
}

} // namespace

TEST_CASE("each word names one value, and its value's word is it again") {
  check_words<requested_state>();
  check_words<actual_state>();
  check_words<restart_policy>();
  check_words<host_state>();
  check_words<migration_phase>();
  check_words<operation_verb>();
  check_words<operation_state>();
  check_words<migration_decision>();
  check_words<command_errc>();
  check_words<record_type>();
  check_words<node_role>();
  check_words<task_kind>();
  check_words<task_state>();
  check_words<move_state>();
  check_words<deadline_policy>();
  check_words<maintenance_wish>();
  check_words<member_wish>();
  check_words<actor_state>();
}

TEST_CASE("the last value has the last word") {
  CHECK(to_string(requested_state::deleted) == "deleted");
  CHECK(to_string(actual_state::gone) == "gone");
  CHECK(to_string(restart_policy::on_failure) == "on_failure");
  CHECK(to_string(restart_policy::always) == "always");
  CHECK(to_string(host_state::gone) == "gone");
  CHECK(to_string(migration_phase::rolled_back) == "rolled_back");
  CHECK(to_string(operation_verb::remove) == "remove");
  CHECK(to_string(operation_state::failed) == "failed");
  CHECK(word_of(migration_decision::return_guest) == "return_guest");
  CHECK(to_string(command_errc::unknown_task) == "unknown_task");
  CHECK(to_string(task_state::cancelled) == "cancelled");
  CHECK(to_string(move_state::failed) == "failed");
  CHECK(to_string(deadline_policy::stop) == "stop");
  CHECK(word_of(maintenance_wish::evacuate) == "evacuate");
  CHECK(to_string(task_kind::evacuation) == "evacuation");
  CHECK(to_string(command_errc::hosts_awaited) == "hosts_awaited");
  CHECK(to_string(command_errc::needs_upgrade) == "needs_upgrade");
  CHECK(to_string(member_wish::removed) == "removed");
  CHECK(to_string(record_type::join_token) == "join_token");
  CHECK(to_string(record_type::vm) == "vm");
  CHECK(to_string(record_type::task) == "task");
  CHECK(to_string(node_role::controller) == "controller");
  CHECK(to_string(node_role::host) == "host");
  CHECK(to_string(actor_state::ended) == "ended");
}

TEST_CASE("a number that is no value is unknown, not a crash") {
  CHECK(to_string(static_cast<requested_state>(200)) == "unknown");
  CHECK(to_string(static_cast<record_type>(0)) == "unknown");
}

TEST_CASE("schemas number and name their values as the structs do") {
  check_schema<requested_state, schema::RequestedState>();
  check_schema<actual_state, schema::ActualState>();
  check_schema<restart_policy, schema::RestartPolicy>();
  check_schema<host_state, schema::HostState>();
  check_schema<migration_intent, schema::MigrationIntent>();
  check_schema<migration_priority, schema::MigrationPriority>();
  check_schema<migration_phase, schema::MigrationPhase>();
  check_schema<operation_verb, schema::OperationVerb>();
  check_schema<operation_state, schema::OperationState>();
  check_schema<migration_decision, schema::MigrationDecision>();
  check_schema<command_errc, schema::CommandErrc>();
  check_schema<task_kind, schema::TaskKind>();
  check_schema<task_state, schema::TaskState>();
  check_schema<move_state, schema::MoveState>();
  check_schema<deadline_policy, schema::DeadlinePolicy>();
  check_schema<maintenance_wish, schema::MaintenanceWish>();
  check_schema<member_wish, schema::MemberWish>();
  check_schema<actor_state, schema::ActorState>();
}

TEST_CASE("a record knows its type and its id") {
  vm_record vm;
  vm.id.value = {1, 2};
  CHECK(type_of(vm) == record_type::vm);
  CHECK(id_of(vm) == uuid{1, 2});
  CHECK(type_of(host_record{}) == record_type::host);
  CHECK(type_of(migration_record{}) == record_type::migration);
  CHECK(type_of(task_record{}) == record_type::task);
  operation_record operation;
  operation.id.value = {3, 4};
  CHECK(type_of(operation) == record_type::operation);
  CHECK(id_of(operation) == uuid{3, 4});
}
