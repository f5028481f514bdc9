#include "storage/local/peers.hpp"

namespace novacron {

void peers::follow(const membership& members) {
  for (auto& [id, each] : peers_)
    each.member = false;
  for (const auto& member : members) {
    auto address = parse_member_address(member.address);
    if (!address || member.id == self_.id)
      continue;
    auto& known = peers_[member.id];
    known.address = *address;
    known.member = true;
  }
}

std::optional<node_id> peers::address(uint64_t to, raft_envelope& message) {
  auto found = peers_.find(to);
  if (found == peers_.end())
    return {};
  message.group = group_;
  message.timeline = timeline_;
  message.from = self_.id;
  message.to = to;
  message.from_disk = self_.disk;
  const auto& known = found->second;
  message.to_disk = known.address.disk != 0 ? known.address.disk : known.heard_disk;
  message.tag = {self_.session, ++sent_};
  return known.address.node;
}

peers::verdict peers::judge(node_id from, const raft_envelope& message) {
  if (message.group != group_ || message.timeline != timeline_ || message.to != self_.id
      || message.from == self_.id)
    return verdict::drop;
  if (message.to_disk != 0 && message.to_disk != self_.disk)
    return verdict::own_emptied;
  auto& sender = peers_[message.from];
  if (!sender.member && sender.address.node.nil())
    sender.address = {from, message.from_disk};
  if (sender.address.node != from)
    return verdict::drop;
  const auto disk = sender.address.disk != 0 ? sender.address.disk : sender.heard_disk;
  if (disk != 0 && message.from_disk != disk)
    return sender.member ? verdict::answer : verdict::drop;
  if (message.tag <= sender.last)
    return verdict::drop;
  if (sender.last.session != message.tag.session)
    sender.knows = 0;
  sender.last = message.tag;
  sender.heard_disk = message.from_disk;
  return verdict::good;
}

void peers::says(uint64_t member, uint32_t knows) {
  if (auto found = peers_.find(member); found != peers_.end())
    found->second.knows = knows;
}

uint32_t peers::known_by(uint64_t member) const {
  auto found = peers_.find(member);
  return found == peers_.end() ? 0 : found->second.knows;
}

std::optional<raft_member> peers::unnamed(const membership& members) const {
  for (auto member : members) {
    auto address = parse_member_address(member.address);
    if (!address || address->disk != 0)
      continue;
    if (member.id == self_.id)
      address->disk = self_.disk;
    else if (auto found = peers_.find(member.id); found != peers_.end())
      address->disk = found->second.heard_disk;
    if (address->disk == 0)
      continue;
    member.address = to_string(*address);
    return member;
  }
  return {};
}

} // namespace novacron
