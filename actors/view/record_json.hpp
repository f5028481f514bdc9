#pragma once

#include "actors/view/queue_outlook.hpp"
#include "messages/changes.hpp"
#include "messages/records.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace novacron {

// The records as the API shows them. Times are RFC 3339 in UTC with
// milliseconds; what isn't there is null.

/// What a host's VMs take of it.
struct host_usage {
  uint64_t memory_mib = 0;
  uint64_t vms = 0;

  friend bool operator==(const host_usage&, const host_usage&) = default;
};

/// `host` is the name of the VM's host; empty if it isn't known (yet).
std::string vm_json(const vm_record& vm, std::string_view host);
std::string host_json(const host_record& host, const host_usage& usage);
/// `from` and `to` are the hosts' names; `progress` may be null, as may `prospect`: it doesn't
/// wait, or how long it will is said only where it is read.
std::string migration_json(const migration_record& migration, std::string_view from,
                           std::string_view to, const migration_progress* progress,
                           const queue_prospect* prospect = nullptr);
std::string operation_json(const operation_record& operation);
/// The functions name hosts and VMs; empty: not known (any more).
std::string task_json(const task_record& task, const std::function<std::string(node_id)>& host,
                      const std::function<std::string(vm_id)>& vm);
/// As the log knows it: what the replicas say of it is added where it is listed.
std::string node_json(const node_record& node);
std::string join_token_json(const join_token_record& token);

/// As in "2026-02-03T04:05:06.007Z".
std::string to_rfc3339(log_time time);

} // namespace novacron
