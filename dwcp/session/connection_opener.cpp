#include "dwcp/session/connection_opener.hpp"

#include "dwcp/session/used_up.hpp"
#include "dwcp/transport/session_thread.hpp"

#include <exception>
#include <utility>

namespace novacron {

connection_opener::connection_opener(function open, std::function<void()> progressed)
    : open_{std::move(open)}, progressed_{std::move(progressed)} {
  // nop
}

connection_opener::~connection_opener() {
  stop();
}

void connection_opener::begin(uint16_t number, deadline until) {
  under_way_.emplace(number, start_session_thread([this, number, until] {
                       auto outcome = open(number, until);
                       {
                         const std::scoped_lock lock{mutex_};
                         ended_.push_back({number, std::move(outcome)});
                       }
                       progressed_();
                     }));
}

std::vector<connection_opener::attempt> connection_opener::take() {
  std::vector<attempt> taken;
  {
    const std::scoped_lock lock{mutex_};
    taken.swap(ended_);
  }
  for (const auto& each : taken)
    under_way_.extract(each.number).mapped().join();
  return taken;
}

std::vector<connection_opener::attempt> connection_opener::stop() {
  stop_.raise();
  for (auto& [number, thread] : std::exchange(under_way_, {}))
    thread.join();
  return std::exchange(ended_, {});
}

result<opened_connection> connection_opener::open(uint16_t number, deadline until) const {
  try {
    return open_(number, stop_, until);
  } catch (const std::exception& why) {
    return used_up("connection", why);
  }
}

} // namespace novacron
