#pragma once

#include "storage/local/member_address.hpp"
#include "storage/replication/membership.hpp"
#include "storage/replication/wire.hpp"

#include <map>
#include <optional>
#include <string>

namespace novacron {

/// What is stored of a replica's own place in its group.
struct own_identity {
  uint64_t id = 0;
  uint64_t disk = 0;
  bool founder = false;
  uint64_t session = 0; ///< how often the replica was opened
};

/// Addresses messages to others, and decides which of theirs count.
///
/// Pure. Members are known from the membership; a replica that is about to be
/// added knows only who wrote to it.
class peers {
public:
  peers(own_identity self, uint32_t group, uint32_t timeline)
      : self_{self}, group_{group}, timeline_{timeline} {
    // nop
  }

  /// Messages of this timeline count from now on.
  void enter(uint32_t timeline) { timeline_ = timeline; }

  /// The newest membership.
  void follow(const membership& members);

  /// Fills the envelope of the next message to `to`, and says to which node it
  /// goes. Nothing: nobody knows who that is.
  std::optional<node_id> address(uint64_t to, raft_envelope& message);

  enum class verdict : uint8_t {
    good,
    drop,        ///< overtaken, doubled, or from or to somebody else
    answer,      ///< the sender's disk isn't the member's: it should hear so
    own_emptied, ///< this disk isn't the one that the group counts on
  };
  /// Of a message that `from` has sent.
  verdict judge(node_id from, const raft_envelope& message);

  /// A member's program knows the cluster versions up to this one. Forgotten when its
  /// replica is opened anew: another program may have done that.
  void says(uint64_t member, uint32_t knows);
  /// 0: it has not said.
  [[nodiscard]] uint32_t known_by(uint64_t member) const;

  /// A founder whose disk is known by now, but not in the membership.
  [[nodiscard]] std::optional<raft_member> unnamed(const membership& members) const;

private:
  struct peer {
    member_address address;
    uint64_t heard_disk = 0; ///< as the peer says
    message_tag last;        ///< of what it sent
    bool member = false;
    uint32_t knows = 0; ///< as it said in the session of `last`
  };

  const own_identity self_;
  const uint32_t group_;
  uint32_t timeline_;
  uint64_t sent_ = 0;
  std::map<uint64_t, peer> peers_;
};

} // namespace novacron
