#pragma once

#include "chaos_summary.hpp"
#include "lab.hpp"
#include "request_deck.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

namespace novacron::chaos {

/// A VM that a user has now, for whoever looks for one to disturb.
struct users_vm {
  std::string id;
  std::string host; ///< name of the node that it was placed on at last sight
};

/// Several users, each with a few VMs of its own, who ask all the time, at any of
/// the gateways, for what the seed's users ask for, in its mix. One more asks now and
/// then for what that mix leaves out: he pauses, resumes, reads one VM, reads
/// linearizably, follows events; another does so to real guests.
///
/// A write that isn't answered for good is repeated with
/// its Idempotency-Key at the next gateway until it is; one in ten is repeated although it
/// was, and must be answered alike.
///
/// The mix creates twice as much as it deletes. So that the VMs don't become more and more, who
/// has enough repeats a create of one of his VMs with the key and the body of then, and
/// must be answered with that VM: no other may come of it.
class users {
public:
  /// `count` follow the mix. `real`: there are real guests.
  users(const lab& where, ledger& book, run_census& census, int count, bool real, uint64_t seed);
  ~users();
  users(const users&) = delete;
  users& operator=(const users&) = delete;

  /// Returns when none has a request open; then nobody asks for anything until `resume`.
  /// False: some write was not answered within the limit.
  bool pause(std::chrono::milliseconds limit);
  void resume();
  /// For good.
  void stop();

  [[nodiscard]] std::vector<users_vm> vms() const;
  /// What was asked for so far, and answered for good.
  [[nodiscard]] request_mix mix() const;
  /// How many VMs they keep at most, all of them.
  [[nodiscard]] uint64_t most_vms() const { return most_vms_; }

private:
  enum class habit : uint8_t { mix, beside, beside_real };
  struct write {
    std::string method = "POST";
    std::string path;
    std::string body;
    std::string what; ///< in words
  };
  struct own_vm {
    std::string id;
    bool runs = false; ///< is to, by the last write that he knows of
    write create;      ///< what made it
    std::string key;   ///< and with which key
  };
  struct user {
    int number = 0;
    habit does = habit::mix;
    std::mt19937_64 random;
    request_deck deck;
    std::deque<own_vm> own;
    int created = 0;
    int written = 0;
    int gateway = lab::gateways.front();
    uint64_t events_since = 0;

    [[nodiscard]] bool real() const { return does == habit::beside_real; }
    /// One of his own, rather one that is to run so; null: he has none.
    own_vm* any(bool runs);
  };

  void live(user self);
  void one_of_the_mix(user& self);
  void list(user& self);
  void create(user& self);
  void create_again(user& self);
  void verb(user& self, own_vm& of, const std::string& verb, const std::string& requested);
  void remove(user& self);
  // Beside the mix.
  void one_thing_beside(user& self);
  void verb_beside(user& self);
  void read(user& self);
  void follow_events(user& self);
  static int below(std::mt19937_64& random, int limit);
  static size_t most_of(habit does);
  static std::string next_key(user& self);
  /// Until it is answered below 500. `open`: some attempt's outcome is unknown.
  client_reply insist(user& self, const write& what, const std::string& key, bool& open);
  void repeat(user& self, const write& what, const std::string& key, const client_reply& first);
  result<client_reply> attempt(user& self, const write& what, const std::string& key,
                               std::chrono::milliseconds limit);
  void note_place(const std::string& id, const std::string& host);
  bool wait_turn(const user& self);

  const lab& lab_;
  ledger& ledger_;
  run_census& census_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool paused_ = false;
  bool over_ = false;
  int busy_ = 0;
  request_mix mix_;
  uint64_t most_vms_ = 0;
  std::map<std::string, std::string> places_; ///< host by VM
  std::vector<std::thread> threads_;
};

} // namespace novacron::chaos
