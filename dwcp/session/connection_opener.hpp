#pragma once

#include "dwcp/session/open_connection.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace novacron {

/// Opens connections of a session at the same time, each on a thread of its own:
/// over a far link one takes several round trips, and whoever wants them has other
/// things to do meanwhile. All functions but for the callbacks are for one thread.
class connection_opener {
public:
  /// Opens a connection, or fails by the deadline, or at once when told to stop. On
  /// a thread of the opener's.
  using function
      = std::function<result<opened_connection>(uint16_t number, const wakeup& stop, deadline)>;
  struct attempt {
    uint16_t number;
    result<opened_connection> outcome;
  };

  /// `progressed` is called on a thread of the opener's when there is something to
  /// take.
  connection_opener(function open, std::function<void()> progressed);
  connection_opener(const connection_opener&) = delete;
  connection_opener& operator=(const connection_opener&) = delete;
  /// As `stop`; what was opened is closed.
  ~connection_opener();

  /// Begins to open a connection that isn't being opened.
  void begin(uint16_t number, deadline until);
  /// The attempts that have ended since the last call.
  std::vector<attempt> take();
  /// Breaks off what is under way, waits for it, and gives what nobody has taken: some of it
  /// may have been opened before. Nothing is begun after it.
  std::vector<attempt> stop();

private:
  result<opened_connection> open(uint16_t number, deadline until) const;

  const function open_;
  const std::function<void()> progressed_;
  const wakeup stop_;
  std::map<uint16_t, std::thread> under_way_;
  std::mutex mutex_; ///< guards `ended_`
  std::vector<attempt> ended_;
};

} // namespace novacron
