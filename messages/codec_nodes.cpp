#include "messages/command_bodies.hpp"

namespace novacron {

void write_body(schema::Command::Builder command, const register_node& in) {
  write(command.initRegisterNode().initNode(), in.node);
}

bool read_body(reading& budget, schema::RegisterNode::Reader in, register_node& out) {
  return read(budget, in.getNode(), out.node);
}

void write_body(schema::Command::Builder command, const wish_member& in) {
  auto out = command.initWishMember();
  write(out.initNode(), in.node);
  out.setWish(schema_enum<schema::MemberWish>(in.wish));
  write(out.initReplaces(), in.replaces);
}

bool read_body(reading&, schema::WishMember::Reader in, wish_member& out) {
  read(in.getNode(), out.node);
  read(in.getReplaces(), out.replaces);
  return read(in.getWish(), out.wish);
}

void write_body(schema::Command::Builder command, const make_join_token& in) {
  auto out = command.initMakeJoinToken();
  write(out.initToken(), in.token);
  out.setKey(octets(in.key));
  write_roles(out.initRoles(list_size(in.roles)), in.roles);
  out.setLife(milliseconds(in.life));
}

bool read_body(reading& budget, schema::MakeJoinToken::Reader in, make_join_token& out) {
  read(in.getToken(), out.token);
  return read(in.getKey(), out.key) && read_roles(budget, in.getRoles(), out.roles)
         && read(in.getLife(), out.life);
}

void write_body(schema::Command::Builder command, const use_join_token& in) {
  auto out = command.initUseJoinToken();
  write(out.initToken(), in.token);
  write(out.initNode(), in.node);
}

bool read_body(reading& budget, schema::UseJoinToken::Reader in, use_join_token& out) {
  read(in.getToken(), out.token);
  return read(budget, in.getNode(), out.node);
}

void write_body(schema::Command::Builder command, const recover_cluster& in) {
  write(command.initRecoverCluster().initSurvivor(), in.survivor);
}

bool read_body(reading&, schema::RecoverCluster::Reader in, recover_cluster& out) {
  read(in.getSurvivor(), out.survivor);
  return true;
}

} // namespace novacron
