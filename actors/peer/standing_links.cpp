#include "actors/peer/standing_links.hpp"

#include <algorithm>
#include <caf/send.hpp>

namespace novacron {

void standing_links::add(node_id node, const link_actor& link, const door_actor& door) {
  remove(link.address());
  std::lock_guard lock{mutex_};
  links_[node].push_back({link, door});
}

void standing_links::remove(const caf::actor_addr& link) {
  std::lock_guard lock{mutex_};
  for (auto& [node, all] : links_)
    std::erase_if(all, [&](const auto& each) { return each.link.address() == link; });
}

void standing_links::taken(const caf::actor_addr& link, uint64_t number) {
  std::lock_guard lock{mutex_};
  for (auto& [node, all] : links_)
    for (auto& each : all)
      if (each.link.address() == link && number <= each.sent)
        each.taken = std::max(each.taken, number);
}

void standing_links::clear() {
  std::lock_guard lock{mutex_};
  links_.clear();
}

link_actor standing_links::find(node_id node) const {
  std::lock_guard lock{mutex_};
  auto found = links_.find(node);
  return found == links_.end() || found->second.empty() ? link_actor{} : found->second.back().link;
}

std::vector<link_actor> standing_links::all() const {
  std::lock_guard lock{mutex_};
  std::vector<link_actor> out;
  for (const auto& [node, each] : links_)
    if (!each.empty())
      out.push_back(each.back().link);
  return out;
}

bool standing_links::send(node_id to, std::vector<std::byte> message) {
  std::lock_guard lock{mutex_};
  auto found = links_.find(to);
  if (found == links_.end() || found->second.empty())
    return false;
  auto& out = found->second.back();
  if (out.sent - out.taken >= most_untaken)
    return false;
  caf::send_as<caf::message_priority::high>(out.link, out.door,
                                            replica_message{++out.sent, std::move(message)});
  return true;
}

} // namespace novacron
