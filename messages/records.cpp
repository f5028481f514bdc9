#include "messages/records.hpp"

#include "messages/names.hpp"

#include <algorithm>

namespace novacron {

std::string to_string(requested_state x) {
  return std::string{word_of(x)};
}

std::string to_string(actual_state x) {
  return std::string{word_of(x)};
}

std::string to_string(restart_policy x) {
  return std::string{word_of(x)};
}

std::string to_string(host_state x) {
  return std::string{word_of(x)};
}

std::string to_string(migration_intent x) {
  return std::string{word_of(x)};
}

std::string to_string(migration_priority x) {
  return std::string{word_of(x)};
}

std::string to_string(migration_phase x) {
  return std::string{word_of(x)};
}

std::string to_string(operation_verb x) {
  return std::string{word_of(x)};
}

std::string to_string(operation_state x) {
  return std::string{word_of(x)};
}

std::string to_string(task_kind x) {
  return std::string{word_of(x)};
}

std::string to_string(task_state x) {
  return std::string{word_of(x)};
}

std::string to_string(move_state x) {
  return std::string{word_of(x)};
}

std::string to_string(deadline_policy x) {
  return std::string{word_of(x)};
}

std::string to_string(node_role x) {
  return std::string{word_of(x)};
}

std::string to_string(actor_state x) {
  return std::string{word_of(x)};
}

std::string to_string(member_wish x) {
  return std::string{word_of(x)};
}

epoch migration_record::destination_epoch() const {
  return novacron::epoch{std::max(epoch.timeline, timeline), epoch.number}.next();
}

} // namespace novacron
