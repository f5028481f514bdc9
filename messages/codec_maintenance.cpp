#include "messages/command_bodies.hpp"

namespace novacron {

void write_body(schema::Command::Builder command, const maintain_host& in) {
  auto out = command.initMaintainHost();
  write(out.initHost(), in.host);
  out.setWish(schema_enum<schema::MaintenanceWish>(in.wish));
  write(out.initTask(), in.task);
  out.setParallel(in.parallel);
  out.setDeadline(milliseconds(in.deadline));
  out.setThen(schema_enum<schema::DeadlinePolicy>(in.then));
}

bool read_body(reading&, schema::MaintainHost::Reader in, maintain_host& out) {
  read(in.getHost(), out.host);
  read(in.getTask(), out.task);
  out.parallel = in.getParallel();
  return read(in.getWish(), out.wish) && read(in.getDeadline(), out.deadline)
         && read(in.getThen(), out.then);
}

void write_body(schema::Command::Builder command, const start_rebalance& in) {
  auto out = command.initStartRebalance();
  write(out.initTask(), in.task);
  out.setParallel(in.parallel);
  write_list(out.initMoves(list_size(in.moves)), in.moves);
}

bool read_body(reading& budget, schema::StartRebalance::Reader in, start_rebalance& out) {
  read(in.getTask(), out.task);
  out.parallel = in.getParallel();
  return read_list(budget, in.getMoves(), out.moves);
}

void write_body(schema::Command::Builder command, const move_vm& in) {
  auto out = command.initMoveVm();
  write(out.initTask(), in.task);
  write(out.initVm(), in.vm);
  out.setAttempt(in.attempt);
  write(out.initTo(), in.to);
  write(out.initMigration(), in.migration);
}

bool read_body(reading&, schema::MoveVm::Reader in, move_vm& out) {
  read(in.getTask(), out.task);
  read(in.getVm(), out.vm);
  out.attempt = in.getAttempt();
  read(in.getTo(), out.to);
  read(in.getMigration(), out.migration);
  return true;
}

void write_body(schema::Command::Builder command, const note_move& in) {
  auto out = command.initNoteMove();
  write(out.initTask(), in.task);
  write(out.initVm(), in.vm);
  out.setAttempt(in.attempt);
  out.setReason(text(in.reason));
}

bool read_body(reading&, schema::NoteMove::Reader in, note_move& out) {
  read(in.getTask(), out.task);
  read(in.getVm(), out.vm);
  out.attempt = in.getAttempt();
  out.reason = text(in.getReason());
  return true;
}

void write_body(schema::Command::Builder command, const cancel_task& in) {
  write(command.initCancelTask().initTask(), in.task);
}

bool read_body(reading&, schema::CancelTask::Reader in, cancel_task& out) {
  read(in.getTask(), out.task);
  return true;
}

} // namespace novacron
