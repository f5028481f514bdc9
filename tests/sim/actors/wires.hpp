#pragma once

#include "checker.hpp"
#include "network.hpp"
#include "process.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/mailbox_element.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace novacron::sim {

struct wire_settings {
  uint64_t heartbeat_ms = 400;
  uint64_t silence_ms = 1'500; ///< after which a connection is given up
};

/// What CAF's middleman and BASP do between processes: connections, over which
/// actors of one process appear to another as proxies.
///
/// A message crosses in its bytes, in order per direction; what the network loses
/// is sent again, and comes later. A connection breaks when an end's process ends,
/// when its machine goes dark, or when it is silent for too long; then all proxies
/// that hung on it end, each side's when that side sees it.
class wires {
public:
  wires(scheduler& time, chance& luck, probes& seen, checker& check, network& net,
        network_faults faults, wire_settings settings = {});

  /// No more losses.
  void heal() { faults_.loss_permille = 0; }

  void add(process& who);
  /// The process has ended; `dark`: with its machine, so that nobody is told.
  void remove(const process& who, bool dark);
  /// A frozen process neither sends nor takes anything in.
  void freeze(const process& who, bool is) { ends_.at(who.life()).frozen = is; }

  void listen(const process& who, const std::string& host, uint16_t port,
              caf::strong_actor_ptr door);
  void close(const process& who, uint16_t port);

  /// Who was found at the other end of a connection, and as whom.
  struct found {
    caf::node_id node;
    caf::strong_actor_ptr actor; ///< a proxy; null: there is no such actor
  };
  using found_callback = std::function<void(std::optional<found>)>;
  /// Connects, unless there is a connection. Nothing: refused. Not called while the way
  /// is cut: whoever asks must not wait for ever.
  void connect(const process& who, const std::string& host, uint16_t port, found_callback then);
  /// Asks for what is registered at a connected node under this name.
  void look_up(const process& who, const caf::node_id& node, caf::atom_value name,
               found_callback then);

private:
  friend class wire_proxy;

  /// A process.
  struct end {
    process* who = nullptr;
    bool frozen = false;
    std::map<caf::actor_id, caf::strong_actor_ptr> exported; ///< that others have proxies of
    std::map<std::pair<std::string, uint16_t>, caf::strong_actor_ptr> doors;
  };
  struct side {
    uint64_t life = 0;
    uint64_t node = 0;
    bool open = true;
    uint64_t heard = 0;                                     ///< when
    std::map<caf::actor_id, caf::strong_actor_ptr> proxies; ///< of the other side's actors
    uint64_t last_due = 0;                                  ///< of what this side sends
    std::deque<std::function<void()>> held;                 ///< on its way to this side
  };
  struct connection {
    side sides[2];
  };

  void beat();
  /// Sends over a connection from this side; `arrive` runs at the other one.
  void send(uint64_t id, int from, std::function<void()> arrive);
  void deliver(uint64_t id, int to);
  [[nodiscard]] bool passes(const side& from, const side& to) const;
  /// This side gives the connection up.
  void give_up(uint64_t id, int at, bool tell);
  /// The open connection of two processes, and which side the first one is.
  std::optional<std::pair<uint64_t, int>> between(uint64_t life, uint64_t other);
  connection* find(uint64_t id);
  end* find_end(uint64_t life);

  caf::strong_actor_ptr proxy_of(uint64_t id, int at, caf::actor_id whom);
  void export_actor(uint64_t life, const caf::strong_actor_ptr& whom);
  /// The other side wants to hear of this actor's end.
  void watch(uint64_t id, int at, caf::actor_id whom);
  /// Hands an actor of the other side out here.
  found hand_out(uint64_t id, int at, caf::actor_id whom, const caf::node_id& node);
  void transmit(uint64_t from_life, uint64_t to_life, caf::actor_id to,
                caf::mailbox_element_ptr what);
  void arrived(uint64_t id, int at, caf::actor_id sender, caf::actor_id to, caf::message_id mid,
               const std::vector<char>& bytes);

  scheduler& time_;
  chance& luck_;
  probes& seen_;
  checker& check_;
  network& net_;
  network_faults faults_;
  const wire_settings settings_;
  std::map<uint64_t, end> ends_; ///< by life
  std::map<uint64_t, connection> connections_;
  uint64_t last_connection_ = 0;
};

} // namespace novacron::sim
