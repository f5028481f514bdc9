#include "messages/schema_mapping.hpp"

namespace novacron {

static void write(schema::VmObservation::Builder out, const vm_observation& in) {
  write(out.initVm(), in.vm);
  write(out.initEpoch(), in.epoch);
  out.setActual(schema_enum<schema::ActualState>(in.actual));
  out.setReason(text(in.reason));
}

static bool read(reading&, schema::VmObservation::Reader in, vm_observation& out) {
  read(in.getVm(), out.vm);
  read(in.getEpoch(), out.epoch);
  out.reason = text(in.getReason());
  return read(in.getActual(), out.actual);
}

static void write(schema::MigrationObservation::Builder out, const migration_observation& in) {
  write(out.initMigration(), in.migration);
  out.setClean(in.clean);
  write(out.initCost(), in.cost);
}

static bool read(reading& budget, schema::MigrationObservation::Reader in,
                 migration_observation& out) {
  read(in.getMigration(), out.migration);
  out.clean = in.getClean();
  return read(budget, in.getCost(), out.cost);
}

void write(schema::HostReport::Builder out, const host_report& in) {
  write(out.initHost(), in.host);
  write(out.initBoot(), in.boot);
  out.setSequence(in.sequence);
  write_list(out.initVms(list_size(in.vms)), in.vms);
  write_list(out.initMigrations(list_size(in.migrations)), in.migrations);
}

bool read(reading& budget, schema::HostReport::Reader in, host_report& out) {
  read(in.getHost(), out.host);
  read(in.getBoot(), out.boot);
  out.sequence = in.getSequence();
  return read_list(budget, in.getVms(), out.vms)
         && read_list(budget, in.getMigrations(), out.migrations);
}

void write(schema::MigrationProgress::Builder out, const migration_progress& in) {
  write(out.initMigration(), in.migration);
  write(out.initVm(), in.vm);
  out.setPhase(text(in.phase));
  out.setRound(in.round);
  out.setRemainingBytes(in.remaining_bytes);
  out.setGuestBytes(in.guest_bytes);
  out.setWireBytes(in.wire_bytes);
  out.setBytesPerSecond(in.bytes_per_second);
}

bool read(reading&, schema::MigrationProgress::Reader in, migration_progress& out) {
  read(in.getMigration(), out.migration);
  read(in.getVm(), out.vm);
  out.phase = text(in.getPhase());
  out.round = in.getRound();
  out.remaining_bytes = in.getRemainingBytes();
  out.guest_bytes = in.getGuestBytes();
  out.wire_bytes = in.getWireBytes();
  out.bytes_per_second = in.getBytesPerSecond();
  return true;
}

} // namespace novacron
