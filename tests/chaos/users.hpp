#pragma once

#include "lab.hpp"

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

/// Several users, each with a few VMs of its own, who create, start, stop,
/// pause, resume, migrate, delete, list and follow events all the time, at any
/// of the three gateways. A write that isn't answered for good is repeated with
/// its Idempotency-Key at the next gateway until it is; one in ten is repeated although it
/// was, and must be answered alike.
class users {
public:
  /// `real`: one more user, whose guests are real ones.
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

private:
  struct user {
    int number = 0;
    bool real = false;
    std::mt19937_64 random;
    std::deque<std::string> own; ///< ids
    int created = 0;
    int written = 0;
    int gateway = 1;
    uint64_t events_since = 0;
  };
  struct write {
    std::string method = "POST";
    std::string path;
    std::string body;
    std::string what; ///< in words
  };

  void live(user self);
  void one_thing(user& self);
  void create(user& self);
  void verb(user& self, const std::string& id);
  void read(user& self);
  void follow_events(user& self);
  void remove(user& self, const std::string& id);
  /// Until it is answered below 500; status 0: stopped before. `open`: some
  /// attempt's outcome is unknown.
  client_reply insist(user& self, const write& what, bool& open);
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
  std::map<std::string, std::string> places_; ///< host by VM
  std::vector<std::thread> threads_;
};

} // namespace novacron::chaos
