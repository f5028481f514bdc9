#include "messages/schema_mapping.hpp"

namespace novacron {

static void write(schema::TaskMove::Builder out, const task_move& in) {
  write(out.initVm(), in.vm);
  out.setState(schema_enum<schema::MoveState>(in.state));
  write(out.initTo(), in.to);
  write(out.initMigration(), in.migration);
  out.setAttempts(in.attempts);
  out.setStopped(in.stopped);
  out.setReason(text(in.reason));
}

static bool read(reading&, schema::TaskMove::Reader in, task_move& out) {
  read(in.getVm(), out.vm);
  read(in.getTo(), out.to);
  read(in.getMigration(), out.migration);
  out.attempts = in.getAttempts();
  out.stopped = in.getStopped();
  out.reason = text(in.getReason());
  return read(in.getState(), out.state);
}

void write(schema::TaskRecord::Builder out, const task_record& in) {
  write(out.initId(), in.id);
  const bool evacuates = in.kind == task_kind::evacuation; // which older readers take for a drain
  out.setKind(schema_enum<schema::TaskKind>(evacuates ? task_kind::drain : in.kind));
  out.setEvacuates(evacuates);
  write(out.initHost(), in.host);
  out.setState(schema_enum<schema::TaskState>(in.state));
  out.setParallel(in.parallel);
  out.setDeadline(milliseconds(in.deadline));
  out.setThen(schema_enum<schema::DeadlinePolicy>(in.then));
  auto moves = out.initMoves(list_size(in.moves));
  for (unsigned i = 0; i < moves.size(); ++i)
    write(moves[i], in.moves[i]);
  out.setCreated(milliseconds(in.created));
  out.setEnded(milliseconds(in.ended));
  out.setRevision(in.revision);
}

bool read(reading& budget, schema::TaskRecord::Reader in, task_record& out) {
  read(in.getId(), out.id);
  read(in.getHost(), out.host);
  out.parallel = in.getParallel();
  out.revision = in.getRevision();
  constexpr size_t narrowest_move = 6; // words
  auto moves = in.getMoves();
  if (!budget.pay(moves.size(), narrowest_move))
    return false;
  out.moves.resize(moves.size());
  for (unsigned i = 0; i < moves.size(); ++i)
    if (!read(budget, moves[i], out.moves[i]))
      return false;
  if (!read(in.getKind(), out.kind))
    return false;
  if (in.getEvacuates())
    out.kind = task_kind::evacuation;
  return read(in.getState(), out.state) && read(in.getDeadline(), out.deadline)
         && read(in.getThen(), out.then) && read(in.getCreated(), out.created)
         && read(in.getEnded(), out.ended);
}

void write(schema::PlannedMove::Builder out, const planned_move& in) {
  write(out.initVm(), in.vm);
  write(out.initTo(), in.to);
}

bool read(reading&, schema::PlannedMove::Reader in, planned_move& out) {
  read(in.getVm(), out.vm);
  read(in.getTo(), out.to);
  return true;
}

} // namespace novacron
