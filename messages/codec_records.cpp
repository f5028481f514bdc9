#include "messages/schema_mapping.hpp"

namespace novacron {

// -- lists of texts ----------------------------------------------------------------

void write(capnp::List<capnp::Text>::Builder out, const text_list& in) {
  for (unsigned i = 0; i < out.size(); ++i)
    out.set(i, text(in[i]));
}

bool read(reading& budget, capnp::List<capnp::Text>::Reader in, text_list& out) {
  if (!budget.pay(in.size(), 1))
    return false;
  out.reserve(in.size());
  for (auto each : in)
    out.push_back(text(each));
  return true;
}

void write(capnp::List<schema::Label>::Builder out, const label_map& in) {
  unsigned i = 0;
  for (const auto& [key, value] : in) {
    out[i].setKey(text(key));
    out[i].setValue(text(value));
    ++i;
  }
}

bool read(reading& budget, capnp::List<schema::Label>::Reader in, label_map& out) {
  if (!budget.pay(in.size(), 2))
    return false;
  for (auto label : in)
    out.emplace_hint(out.end(), text(label.getKey()), text(label.getValue()));
  return true;
}

// -- virtual machines --------------------------------------------------------------

static void write(schema::PlacementRules::Builder out, const placement_rules& in) {
  write(out.initGroups(list_size(in.groups)), in.groups);
  write(out.initRequiredLabels(list_size(in.required_labels)), in.required_labels);
  write(out.initPreferredLabels(list_size(in.preferred_labels)), in.preferred_labels);
  write(out.initRequiredAffinity(list_size(in.required_affinity)), in.required_affinity);
  write(out.initPreferredAffinity(list_size(in.preferred_affinity)), in.preferred_affinity);
  write(out.initRequiredAntiAffinity(list_size(in.required_anti_affinity)),
        in.required_anti_affinity);
  write(out.initPreferredAntiAffinity(list_size(in.preferred_anti_affinity)),
        in.preferred_anti_affinity);
}

static bool read(reading& budget, schema::PlacementRules::Reader in, placement_rules& out) {
  return read(budget, in.getGroups(), out.groups)
         && read(budget, in.getRequiredLabels(), out.required_labels)
         && read(budget, in.getPreferredLabels(), out.preferred_labels)
         && read(budget, in.getRequiredAffinity(), out.required_affinity)
         && read(budget, in.getPreferredAffinity(), out.preferred_affinity)
         && read(budget, in.getRequiredAntiAffinity(), out.required_anti_affinity)
         && read(budget, in.getPreferredAntiAffinity(), out.preferred_anti_affinity);
}

void write(schema::VmSpec::Builder out, const vm_spec& in) {
  out.setVcpus(in.vcpus);
  out.setMemoryMib(in.memory_mib);
  out.setImage(text(in.image));
  out.setKernelArguments(text(in.kernel_arguments));
  out.setRestart(schema_enum<schema::RestartPolicy>(in.restart));
  write(out.initLabels(list_size(in.labels)), in.labels);
  if (in.placement != placement_rules{})
    write(out.initPlacement(), in.placement);
  if (!in.networks.empty())
    write(out.initNetworks(list_size(in.networks)), in.networks);
}

bool read(reading& budget, schema::VmSpec::Reader in, vm_spec& out) {
  out.vcpus = in.getVcpus();
  out.memory_mib = in.getMemoryMib();
  out.image = text(in.getImage());
  out.kernel_arguments = text(in.getKernelArguments());
  return read(budget, in.getLabels(), out.labels) && read(in.getRestart(), out.restart)
         && read(budget, in.getPlacement(), out.placement)
         && read(budget, in.getNetworks(), out.networks);
}

static void write(schema::RestartRecord::Builder out, const restart_record& in) {
  out.setCount(in.count);
  auto ends = out.initEnds(list_size(in.ends));
  for (unsigned i = 0; i < ends.size(); ++i)
    ends.set(i, milliseconds(in.ends[i]));
  out.setDue(milliseconds(in.due));
  out.setRunningSince(milliseconds(in.running_since));
}

static bool read(reading& budget, schema::RestartRecord::Reader in, restart_record& out) {
  out.count = in.getCount();
  auto ends = in.getEnds();
  if (!budget.pay(ends.size(), 1))
    return false;
  out.ends.resize(ends.size());
  for (unsigned i = 0; i < ends.size(); ++i)
    if (!read(ends[i], out.ends[i]))
      return false;
  return read(in.getDue(), out.due) && read(in.getRunningSince(), out.running_since);
}

static void write(schema::VmRecord::Builder out, const vm_record& in) {
  write(out.initId(), in.id);
  out.setName(text(in.name));
  write(out.initSpec(), in.spec);
  out.setRequested(schema_enum<schema::RequestedState>(in.requested));
  write(out.initHost(), in.host);
  write(out.initEpoch(), in.epoch);
  out.setActual(schema_enum<schema::ActualState>(in.actual));
  out.setReason(text(in.reason));
  write(out.initSeenEpoch(), in.seen_epoch);
  write(out.initSeenBoot(), in.seen_boot);
  out.setSeenSequence(in.seen_sequence);
  write(out.initMigration(), in.migration);
  write(out.initOperation(), in.operation);
  out.setCreated(milliseconds(in.created));
  out.setChanged(milliseconds(in.changed));
  out.setRevision(in.revision);
  write(out.initRestarts(), in.restarts);
  out.setFenced(in.fenced);
}

static bool read(reading& budget, schema::VmRecord::Reader in, vm_record& out) {
  read(in.getId(), out.id);
  out.name = text(in.getName());
  read(in.getHost(), out.host);
  read(in.getEpoch(), out.epoch);
  out.reason = text(in.getReason());
  read(in.getSeenEpoch(), out.seen_epoch);
  read(in.getSeenBoot(), out.seen_boot);
  out.seen_sequence = in.getSeenSequence();
  read(in.getMigration(), out.migration);
  read(in.getOperation(), out.operation);
  out.revision = in.getRevision();
  out.fenced = in.getFenced();
  return read(budget, in.getSpec(), out.spec) && read(in.getRequested(), out.requested)
         && read(in.getActual(), out.actual) && read(in.getCreated(), out.created)
         && read(in.getChanged(), out.changed) && read(budget, in.getRestarts(), out.restarts);
}

// -- hosts -------------------------------------------------------------------------

void write(schema::HostRecord::Builder out, const host_record& in) {
  write(out.initId(), in.id);
  out.setName(text(in.name));
  out.setMeshAddress(text(in.mesh_address));
  out.setPageAddress(text(in.page_address));
  out.setVcpus(in.vcpus);
  out.setMemoryMib(in.memory_mib);
  write(out.initImages(list_size(in.images)), in.images);
  out.setHypervisor(text(in.hypervisor));
  out.setAccelerator(text(in.accelerator));
  out.setLiveMigrationProblem(text(in.live_migration_problem));
  write(out.initBoot(), in.boot);
  out.setState(schema_enum<schema::HostState>(in.state));
  out.setChanged(milliseconds(in.changed));
  out.setRevision(in.revision);
  out.setFences(in.fences);
  out.setLostLease(in.lost_lease);
  write(out.initLabels(list_size(in.labels)), in.labels);
  out.setMemoryOvercommitPercent(in.memory_overcommit_percent);
  out.setVcpuOvercommitPercent(in.vcpu_overcommit_percent);
  write(out.initCpuFeatures(list_size(in.cpu_features)), in.cpu_features);
  out.setMaintenance(schema_enum<schema::HostState>(in.maintenance));
  write(out.initDrain(), in.drain);
  out.setAwaited(in.awaited);
  out.setMigrationsAtOnce(in.migrations_at_once);
  out.setMigrationsBetweenSites(in.migrations_between_sites);
  if (!in.networks.empty())
    write(out.initNetworks(list_size(in.networks)), in.networks);
}

bool read(reading& budget, schema::HostRecord::Reader in, host_record& out) {
  read(in.getId(), out.id);
  out.name = text(in.getName());
  out.mesh_address = text(in.getMeshAddress());
  out.page_address = text(in.getPageAddress());
  out.vcpus = in.getVcpus();
  out.memory_mib = in.getMemoryMib();
  out.hypervisor = text(in.getHypervisor());
  out.accelerator = text(in.getAccelerator());
  out.live_migration_problem = text(in.getLiveMigrationProblem());
  read(in.getBoot(), out.boot);
  out.revision = in.getRevision();
  out.fences = in.getFences();
  out.lost_lease = in.getLostLease();
  out.memory_overcommit_percent = in.getMemoryOvercommitPercent();
  out.vcpu_overcommit_percent = in.getVcpuOvercommitPercent();
  read(in.getDrain(), out.drain);
  out.awaited = in.getAwaited();
  out.migrations_at_once = in.getMigrationsAtOnce();
  out.migrations_between_sites = in.getMigrationsBetweenSites();
  return read(budget, in.getImages(), out.images) && read(in.getState(), out.state)
         && read(in.getChanged(), out.changed) && read(budget, in.getLabels(), out.labels)
         && read(budget, in.getCpuFeatures(), out.cpu_features)
         && read(in.getMaintenance(), out.maintenance)
         && read(budget, in.getNetworks(), out.networks);
}

void write(schema::LeaseRecord::Builder out, const lease_record& in) {
  write(out.initHost(), in.host);
  write(out.initBoot(), in.boot);
  out.setRenewal(in.renewal);
  out.setTerm(milliseconds(in.term));
  out.setGranted(milliseconds(in.granted));
  out.setExpired(in.expired);
}

bool read(reading&, schema::LeaseRecord::Reader in, lease_record& out) {
  read(in.getHost(), out.host);
  read(in.getBoot(), out.boot);
  out.renewal = in.getRenewal();
  out.expired = in.getExpired();
  return read(in.getTerm(), out.term) && read(in.getGranted(), out.granted);
}

// -- operations --------------------------------------------------------------------

static void write(schema::OperationRecord::Builder out, const operation_record& in) {
  write(out.initId(), in.id);
  out.setVerb(schema_enum<schema::OperationVerb>(in.verb));
  write(out.initVm(), in.vm);
  write(out.initMigration(), in.migration);
  out.setState(schema_enum<schema::OperationState>(in.state));
  out.setError(text(in.error));
  out.setCreated(milliseconds(in.created));
  out.setEnded(milliseconds(in.ended));
  out.setRevision(in.revision);
}

static bool read(reading&, schema::OperationRecord::Reader in, operation_record& out) {
  read(in.getId(), out.id);
  read(in.getVm(), out.vm);
  read(in.getMigration(), out.migration);
  out.error = text(in.getError());
  out.revision = in.getRevision();
  return read(in.getVerb(), out.verb) && read(in.getState(), out.state)
         && read(in.getCreated(), out.created) && read(in.getEnded(), out.ended);
}

// -- nodes -------------------------------------------------------------------------

void write_roles(capnp::List<uint8_t>::Builder out, const std::vector<node_role>& in) {
  for (unsigned i = 0; i < out.size(); ++i)
    out.set(i, static_cast<uint8_t>(in[i]));
}

bool read_roles(reading& budget, capnp::List<uint8_t>::Reader in, std::vector<node_role>& out) {
  if (!budget.pay(in.size() / 8 + 1, 1))
    return false;
  for (auto each : in) {
    out.push_back(static_cast<node_role>(each));
    if (word_of(out.back()) == "unknown")
      return false;
  }
  return true;
}

void write(schema::NodeRecord::Builder out, const node_record& in) {
  write(out.initId(), in.id);
  out.setName(text(in.name));
  write_roles(out.initRoles(list_size(in.roles)), in.roles);
  out.setMeshAddress(text(in.mesh_address));
  out.setDisk(in.disk);
  out.setWish(schema_enum<schema::MemberWish>(in.wish));
  write(out.initReplaces(), in.replaces);
  out.setChanged(milliseconds(in.changed));
  out.setRevision(in.revision);
}

bool read(reading& budget, schema::NodeRecord::Reader in, node_record& out) {
  read(in.getId(), out.id);
  out.name = text(in.getName());
  out.mesh_address = text(in.getMeshAddress());
  out.disk = in.getDisk();
  read(in.getReplaces(), out.replaces);
  out.revision = in.getRevision();
  return read_roles(budget, in.getRoles(), out.roles) && read(in.getWish(), out.wish)
         && read(in.getChanged(), out.changed);
}

static void write(schema::JoinTokenRecord::Builder out, const join_token_record& in) {
  write(out.initId(), in.id);
  out.setKey(octets(in.key));
  write_roles(out.initRoles(list_size(in.roles)), in.roles);
  out.setCreated(milliseconds(in.created));
  out.setExpires(milliseconds(in.expires));
  write(out.initUsedBy(), in.used_by);
  out.setRevision(in.revision);
}

static bool read(reading& budget, schema::JoinTokenRecord::Reader in, join_token_record& out) {
  read(in.getId(), out.id);
  read(in.getUsedBy(), out.used_by);
  out.revision = in.getRevision();
  return read(in.getKey(), out.key) && read_roles(budget, in.getRoles(), out.roles)
         && read(in.getCreated(), out.created) && read(in.getExpires(), out.expires);
}

// -- any of them -------------------------------------------------------------------

void write(schema::Record::Builder out, const any_record& in) {
  if (auto* vm = std::get_if<vm_record>(&in))
    write(out.initVm(), *vm);
  else if (auto* host = std::get_if<host_record>(&in))
    write(out.initHost(), *host);
  else if (auto* migration = std::get_if<migration_record>(&in))
    write(out.initMigration(), *migration);
  else if (auto* operation = std::get_if<operation_record>(&in))
    write(out.initOperation(), *operation);
  else if (auto* task = std::get_if<task_record>(&in))
    write(out.initTask(), *task);
  else if (auto* node = std::get_if<node_record>(&in))
    write(out.initNode(), *node);
  else if (auto* token = std::get_if<join_token_record>(&in))
    write(out.initJoinToken(), *token);
}

bool read(reading& budget, schema::Record::Reader in, any_record& out) {
  switch (in.which()) {
  case schema::Record::VM:
    return read(budget, in.getVm(), out.emplace<vm_record>());
  case schema::Record::HOST:
    return read(budget, in.getHost(), out.emplace<host_record>());
  case schema::Record::MIGRATION:
    return read(budget, in.getMigration(), out.emplace<migration_record>());
  case schema::Record::OPERATION:
    return read(budget, in.getOperation(), out.emplace<operation_record>());
  case schema::Record::TASK:
    return read(budget, in.getTask(), out.emplace<task_record>());
  case schema::Record::NODE:
    return read(budget, in.getNode(), out.emplace<node_record>());
  case schema::Record::JOIN_TOKEN:
    return read(budget, in.getJoinToken(), out.emplace<join_token_record>());
  case schema::Record::UNSET:
    break;
  }
  return false;
}

void write(schema::Record::Builder out, const stored_record& in) {
  write(out, in.record);
}

bool read(reading& budget, schema::Record::Reader in, stored_record& out) {
  return read(budget, in, out.record);
}

} // namespace novacron
