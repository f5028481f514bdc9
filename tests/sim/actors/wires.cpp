// Connections: how they come, carry, and break.

#include "wires.hpp"

#include "wire_proxy.hpp"

#include <algorithm>
#include <utility>

namespace novacron::sim {

namespace {

constexpr uint64_t resend_ms = 200; ///< TCP's, for what was lost
constexpr uint64_t look_again_ms = 25;

} // namespace

wires::wires(scheduler& time, chance& luck, probes& seen, checker& check, network& net,
             network_faults faults, wire_settings settings)
    : time_{time}, luck_{luck}, seen_{seen}, check_{check}, net_{net}, faults_{faults},
      settings_{settings} {
  time_.after(settings_.heartbeat_ms, [this] { beat(); });
}

// -- processes -----------------------------------------------------------------------

void wires::add(process& who) {
  ends_[who.life()].who = &who;
}

void wires::remove(const process& who, bool dark) {
  const auto life = who.life();
  ends_.erase(life);
  for (auto& [id, each] : connections_)
    for (int i : {0, 1})
      if (each.sides[i].life == life && each.sides[i].open)
        give_up(id, i, !dark);
}

wires::end* wires::find_end(uint64_t life) {
  auto known = ends_.find(life);
  return known == ends_.end() ? nullptr : &known->second;
}

wires::connection* wires::find(uint64_t id) {
  auto known = connections_.find(id);
  return known == connections_.end() ? nullptr : &known->second;
}

std::optional<std::pair<uint64_t, int>> wires::between(uint64_t life, uint64_t other) {
  for (auto& [id, each] : connections_)
    for (int i : {0, 1})
      if (each.sides[i].life == life && each.sides[1 - i].life == other && each.sides[i].open)
        return std::pair{id, i};
  return std::nullopt;
}

// -- what a connection carries -------------------------------------------------------

void wires::send(uint64_t id, int from, std::function<void()> arrive) {
  auto link = find(id);
  if (!link)
    return;
  auto due = time_.now() + luck_.between(faults_.delay_min_ms, faults_.delay_max_ms);
  while (luck_.permille(faults_.loss_permille)) {
    seen_.hit(probe::message_lost);
    due += resend_ms;
  }
  auto& last = link->sides[from].last_due;
  due = last = std::max(last, due);
  time_.after(due - time_.now(), [this, id, from, call = std::move(arrive)] {
    auto there = find(id);
    if (!there)
      return;
    auto& held = there->sides[1 - from].held;
    held.push_back(call);
    if (held.size() == 1)
      deliver(id, 1 - from);
  });
}

bool wires::passes(const side& from, const side& to) const {
  auto receiver = ends_.find(to.life);
  return net_.carries(from.node, to.node) && receiver != ends_.end() && !receiver->second.frozen;
}

void wires::deliver(uint64_t id, int to) {
  for (auto link = find(id); link; link = find(id)) {
    auto& half = link->sides[to];
    if (!half.open)
      half.held.clear();
    if (half.held.empty())
      return;
    if (!passes(link->sides[1 - to], half)) {
      if (find_end(half.life))
        time_.after(look_again_ms, [this, id, to] { deliver(id, to); });
      else
        half.held.clear();
      return;
    }
    half.heard = time_.now();
    auto call = std::move(half.held.front());
    half.held.pop_front();
    call();
  }
}

void wires::beat() {
  time_.after(settings_.heartbeat_ms, [this] { beat(); });
  std::erase_if(connections_, [](const auto& each) {
    return !each.second.sides[0].open && !each.second.sides[1].open;
  });
  std::vector<std::pair<uint64_t, int>> silent;
  for (auto& [id, each] : connections_)
    for (int i : {0, 1}) {
      auto& half = each.sides[i];
      auto owner = find_end(half.life);
      if (!half.open || !owner || owner->frozen)
        continue;
      if (time_.now() - half.heard > settings_.silence_ms)
        silent.emplace_back(id, i);
      else
        send(id, i, [] {});
    }
  for (auto [id, i] : silent)
    give_up(id, i, true);
}

void wires::give_up(uint64_t id, int at, bool tell) {
  auto link = find(id);
  if (!link || !link->sides[at].open)
    return;
  auto& half = link->sides[at];
  check_.trace(51 + half.node * 31 + link->sides[1 - at].node * 131 + time_.now());
  half.open = false;
  half.held.clear();
  auto proxies = std::exchange(half.proxies, {});
  if (tell)
    send(id, at, [this, id, at] { give_up(id, 1 - at, false); });
  if (find_end(half.life))
    for (auto& [whom, proxy] : proxies)
      static_cast<caf::actor_proxy*>(proxy->get())
          ->kill_proxy(nullptr, caf::exit_reason::remote_link_unreachable);
}

// -- how connections come ------------------------------------------------------------

void wires::listen(const process& who, const std::string& host, uint16_t port,
                   caf::strong_actor_ptr door) {
  if (auto here = find_end(who.life()))
    here->doors[{host, port}] = std::move(door);
}

void wires::close(const process& who, uint16_t port) {
  if (auto here = find_end(who.life()))
    std::erase_if(here->doors, [&](const auto& each) { return each.first.second == port; });
}

void wires::connect(const process& who, const std::string& host, uint16_t port,
                    found_callback then) {
  const auto life = who.life();
  const auto node = who.node();
  const auto way = luck_.between(faults_.delay_min_ms, faults_.delay_max_ms);
  time_.after(way + 1, [this, life, node, where = std::pair{host, port}, then] {
    auto mine = find_end(life);
    if (!mine)
      return;
    auto other = std::find_if(ends_.begin(), ends_.end(),
                              [&](const auto& each) { return each.second.doors.contains(where); });
    if (other == ends_.end()) {
      then(std::nullopt);
      return;
    }
    const auto theirs = other->first;
    const auto there = other->second.who->node();
    if (!net_.carries(node, there) || !net_.carries(there, node) || other->second.frozen)
      return; // whoever asks gives up
    auto known = between(life, theirs);
    if (!known) {
      // The other one may not have seen yet that an earlier connection is gone.
      if (between(theirs, life)) {
        then(std::nullopt);
        return;
      }
      known = std::pair{++last_connection_, 0};
      auto& sides = connections_[last_connection_].sides;
      sides[0].life = life;
      sides[0].node = node;
      sides[1].life = theirs;
      sides[1].node = there;
      sides[0].heard = sides[1].heard = time_.now();
    }
    auto door = other->second.doors.at(where);
    export_actor(theirs, door);
    send(known->first, 1 - known->second,
         [this, where_to = *known, whom = door->id(), name = other->second.who->name(), then] {
           then(hand_out(where_to.first, where_to.second, whom, name));
         });
  });
}

void wires::look_up(const process& who, const caf::node_id& node, caf::atom_value name,
                    found_callback then) {
  auto other = std::find_if(ends_.begin(), ends_.end(),
                            [&](const auto& each) { return each.second.who->name() == node; });
  auto known = other == ends_.end() ? std::nullopt : between(who.life(), other->first);
  if (!known) {
    time_.after(1, [then] { then(std::nullopt); });
    return;
  }
  send(known->first, known->second,
       [this, known = *known, theirs = other->first, node, name, then] {
         auto there = find_end(theirs);
         auto whom = there ? there->who->system().registry().get(name) : nullptr;
         if (whom)
           export_actor(theirs, whom);
         send(known.first, 1 - known.second,
              [this, known, whom = whom ? whom->id() : 0, node, then] {
                then(whom == 0 ? found{node, nullptr}
                               : hand_out(known.first, known.second, whom, node));
              });
       });
}

} // namespace novacron::sim
