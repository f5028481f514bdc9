#include "messages/schema_mapping.hpp"

namespace novacron {

static void write(schema::ActorStatus::Builder out, const actor_status& in) {
  out.setPath(text(in.path));
  out.setSupervisor(in.supervisor);
  out.setState(schema_enum<schema::ActorState>(in.state));
  out.setRestarts(in.restarts);
  out.setUp(milliseconds(in.up));
  out.setCounted(in.mailbox.has_value());
  out.setMailbox(in.mailbox.value_or(0));
  out.setLastFailure(text(in.last_failure));
}

static bool read(reading&, schema::ActorStatus::Reader in, actor_status& out) {
  out.path = text(in.getPath());
  out.supervisor = in.getSupervisor();
  out.restarts = in.getRestarts();
  if (in.getCounted())
    out.mailbox = in.getMailbox();
  out.last_failure = text(in.getLastFailure());
  return read(in.getState(), out.state) && read(in.getUp(), out.up);
}

static void write(schema::ActorGroup::Builder out, const actor_group& in) {
  out.setPath(text(in.path));
  out.setKind(text(in.kind));
  out.setCount(in.count);
  out.setRunning(in.running);
  out.setRestarts(in.restarts);
  out.setMailbox(in.mailbox);
}

static bool read(reading&, schema::ActorGroup::Reader in, actor_group& out) {
  out.path = text(in.getPath());
  out.kind = text(in.getKind());
  out.count = in.getCount();
  out.running = in.getRunning();
  out.restarts = in.getRestarts();
  out.mailbox = in.getMailbox();
  return true;
}

static void write(schema::LinkedNode::Builder out, const linked_node& in) {
  write(out.initNode(), in.node);
  out.setName(text(in.name));
  out.setController(in.controller);
}

static bool read(reading&, schema::LinkedNode::Reader in, linked_node& out) {
  read(in.getNode(), out.node);
  out.name = text(in.getName());
  out.controller = in.getController();
  return true;
}

void write(schema::ActorTreeRequest::Builder out, const actor_tree_request& in) {
  write(out.initNode(), in.node);
  out.setPath(text(in.path));
  out.setAfter(in.after);
  out.setChildren(in.children);
}

bool read(reading&, schema::ActorTreeRequest::Reader in, actor_tree_request& out) {
  read(in.getNode(), out.node);
  out.path = text(in.getPath());
  out.after = in.getAfter();
  out.children = in.getChildren();
  return true;
}

void write(schema::ActorTree::Builder out, const actor_tree& in) {
  write(out.initNode(), in.node);
  out.setName(text(in.name));
  write_list(out.initActors(list_size(in.actors)), in.actors);
  write_list(out.initMore(list_size(in.more)), in.more);
  out.setNext(in.next);
  write_list(out.initLinks(list_size(in.links)), in.links);
}

bool read(reading& budget, schema::ActorTree::Reader in, actor_tree& out) {
  read(in.getNode(), out.node);
  out.name = text(in.getName());
  out.next = in.getNext();
  return read_list(budget, in.getActors(), out.actors) && read_list(budget, in.getMore(), out.more)
         && read_list(budget, in.getLinks(), out.links);
}

} // namespace novacron
