#include "messages/changes.hpp"

#include "messages/names.hpp"

namespace novacron {

std::string to_string(record_type x) {
  return std::string{word_of(x)};
}

record_type type_of(const any_record& record) {
  struct {
    record_type operator()(const vm_record&) const { return record_type::vm; }
    record_type operator()(const host_record&) const { return record_type::host; }
    record_type operator()(const migration_record&) const { return record_type::migration; }
    record_type operator()(const operation_record&) const { return record_type::operation; }
    record_type operator()(const task_record&) const { return record_type::task; }
    record_type operator()(const node_record&) const { return record_type::node; }
    record_type operator()(const join_token_record&) const { return record_type::join_token; }
  } type;
  return std::visit(type, record);
}

uuid id_of(const any_record& record) {
  return std::visit([](const auto& x) { return x.id.value; }, record);
}

} // namespace novacron
