#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace novacron {

/// How the page sessions that leave one host share what they may send in sum.
///
/// The problem: TCP gives each connection a part of the link, whoever it is for, and takes all of
/// the link from guests' own traffic. So sessions get a budget, bytes a second of all of them, in
/// parts by weight: a session's balance grows by its part of the time that passes, and what it
/// sends is taken off. It waits while the balance is below zero. Who has nothing to send gets no
/// part, and the others get more; so the budget is used up whenever anybody has enough to send.
/// Deficit round robin (Shreedhar and Varghese, 1995) with time in the place of rounds.
///
/// Pure.
class weighted_budget {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = std::chrono::steady_clock::duration;

  /// A balance grows no higher than what comes in so long: nobody saves up for later.
  static constexpr std::chrono::milliseconds burst{50};
  /// Who hasn't asked for so long has nothing to send.
  static constexpr std::chrono::milliseconds idle_after{250};

  explicit weighted_budget(uint64_t bytes_per_second) : rate_{bytes_per_second} {
    // nop
  }

  void join(uint64_t member, unsigned weight, time_point now);
  void leave(uint64_t member, time_point now);

  /// When the member may send: now or earlier, or later. It has something to send.
  time_point may_send_at(uint64_t member, time_point now);
  /// It has sent so much, whether it was allowed to or not.
  void sent(uint64_t member, uint64_t bytes, time_point now);

private:
  struct account {
    unsigned weight = 1;
    double balance = 0; ///< bytes
    time_point asked;
  };

  void grow(time_point now);
  [[nodiscard]] bool active(const account& x, time_point now) const;
  [[nodiscard]] double part(const account& x, time_point now) const;

  const uint64_t rate_;
  time_point grown_;
  std::map<uint64_t, account> accounts_;
};

/// A `weighted_budget` for a host's sessions. Safe from any thread.
class link_share : public std::enable_shared_from_this<link_share> {
public:
  /// 0: no bound; then nobody waits, and what each gets is TCP's to say.
  static std::shared_ptr<link_share> make(uint64_t bytes_per_second);

  /// One session's part, until it is destroyed.
  class member {
  public:
    member(std::shared_ptr<link_share> share, unsigned weight);
    ~member();
    member(const member&) = delete;
    member& operator=(const member&) = delete;

    [[nodiscard]] std::chrono::steady_clock::time_point may_send_at();
    void sent(uint64_t bytes);

  private:
    std::shared_ptr<link_share> share_;
    uint64_t number_;
  };

private:
  explicit link_share(uint64_t bytes_per_second);

  const bool bounded_;
  std::mutex mutex_;
  weighted_budget budget_;
  uint64_t next_ = 0;
};

} // namespace novacron
