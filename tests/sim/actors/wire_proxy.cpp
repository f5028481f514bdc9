// Actors of one process, seen from another.

#include "wire_proxy.hpp"

#include <caf/all.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/make_actor.hpp>

namespace novacron::sim {

void wires::export_actor(uint64_t life, const caf::strong_actor_ptr& whom) {
  auto& exported = ends_.at(life).exported;
  if (!exported.emplace(whom->id(), whom).second)
    return;
  whom->get()->attach_functor([this, life, id = whom->id()](const caf::error&) {
    if (auto there = find_end(life))
      there->exported.erase(id);
  });
}

wires::found wires::hand_out(uint64_t id, int at, caf::actor_id whom, const caf::node_id& node) {
  return {node, proxy_of(id, at, whom)};
}

caf::strong_actor_ptr wires::proxy_of(uint64_t id, int at, caf::actor_id whom) {
  auto& link = connections_.at(id);
  auto& half = link.sides[at];
  auto& proxy = half.proxies[whom];
  if (proxy)
    return proxy;
  const auto other = link.sides[1 - at].life;
  auto here = find_end(half.life);
  auto there = find_end(other);
  if (!there) { // its last word; the connection is about to break
    half.proxies.erase(whom);
    return nullptr;
  }
  caf::actor_config config;
  proxy = caf::make_actor<wire_proxy, caf::strong_actor_ptr>(
      whom, there->who->name(), &here->who->system(), config, *this, half.life, other);
  send(id, at, [this, id, at, whom] { watch(id, 1 - at, whom); });
  return proxy;
}

void wires::watch(uint64_t id, int at, caf::actor_id whom) {
  auto ended = [this, id, at, whom](const caf::error& reason) {
    auto link = find(id);
    if (!link || !link->sides[at].open)
      return;
    send(id, at, [this, id, to = 1 - at, whom, reason] {
      auto there = find(id);
      auto proxy
          = there ? there->sides[to].proxies.extract(whom) : decltype(side::proxies)::node_type{};
      if (proxy)
        static_cast<caf::actor_proxy*>(proxy.mapped()->get())->kill_proxy(nullptr, reason);
    });
  };
  auto link = find(id);
  auto here = link ? find_end(link->sides[at].life) : nullptr;
  if (!here)
    return;
  auto exported = here->exported.find(whom);
  if (exported == here->exported.end())
    ended(caf::exit_reason::unknown);
  else
    caf::strong_actor_ptr {
      exported->second
      } -> get()->attach_functor(ended);
}

void wires::transmit(uint64_t from_life, uint64_t to_life, caf::actor_id to,
                     caf::mailbox_element_ptr what) {
  auto known = between(from_life, to_life);
  auto here = find_end(from_life);
  if (!known || !here)
    return;
  auto content = what->move_content_to_message();
  std::vector<char> bytes;
  caf::binary_serializer sink{here->who->system(), bytes};
  if (auto problem = sink(content)) {
    static_cast<void>(check_.broken("a message to another node can't be encoded"));
    return;
  }
  caf::actor_id sender = 0;
  if (what->sender && what->sender->node() == here->who->name()) {
    sender = what->sender->id();
    export_actor(from_life, what->sender);
  }
  send(known->first, known->second,
       [this, id = known->first, at = 1 - known->second, sender, to, mid = what->mid,
        bytes = std::move(bytes)] { arrived(id, at, sender, to, mid, bytes); });
}

void wires::arrived(uint64_t id, int at, caf::actor_id sender, caf::actor_id to,
                    caf::message_id mid, const std::vector<char>& bytes) {
  auto here = find_end(connections_.at(id).sides[at].life);
  if (!here)
    return;
  caf::binary_deserializer source{here->who->system(), bytes};
  caf::message content;
  if (auto problem = source(content)) {
    static_cast<void>(check_.broken("a message from another node can't be decoded"));
    return;
  }
  auto from = sender == 0 ? nullptr : proxy_of(id, at, sender);
  auto target = here->exported.find(to);
  if (target == here->exported.end()) {
    caf::detail::sync_request_bouncer refuse{caf::exit_reason::remote_link_unreachable};
    refuse(from, mid);
    return;
  }
  auto whom = target->second;
  whom->get()->enqueue(from, mid, std::move(content), nullptr);
}

} // namespace novacron::sim
