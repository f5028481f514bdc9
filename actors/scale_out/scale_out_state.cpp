#include "actors/scale_out/scale_out_state.hpp"

namespace novacron {

bool scale_out_state::look(uint64_t shed, time_point now) {
  if (shed != seen_) {
    seen_ = shed;
    last_ = now;
    if (!crowded_)
      since_ = now;
    crowded_ = true;
  } else if (now - last_ >= config_.calm) {
    crowded_ = false;
  }
  const bool due = crowded_ && last_ - since_ >= config_.after;
  if (!due || runs_ || now < not_before_)
    return false;
  runs_ = true;
  return true;
}

void scale_out_state::ended(time_point now) {
  runs_ = false;
  not_before_ = now + config_.pause;
}

} // namespace novacron
