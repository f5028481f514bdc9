#include "machine.hpp"

namespace novacron::sim {

void machine::power_loss() {
  kill_fencer();
  powered_ = false;
  starting_ = false;
  driver->power_loss();
}

void machine::power_on() {
  powered_ = true;
  ++boots_;
  clock.boot();
}

void machine::kill_fencer() {
  if (fencer_life_ == 0)
    return;
  fencer_life_ = 0;
  held_.reset();
  driver->stop_daemon();
}

void machine::start_fencer() {
  if (fencer_life_ != 0 || starting_ || !powered_)
    return;
  starting_ = true;
  time_.after(luck_.between(1, fencer_.start_max_ms), [this, boots = boots_] {
    if (!powered_ || boots != boots_)
      return;
    starting_ = false;
    fencer_life_ = ++fencer_lives_;
    // A deadline of an earlier boot binds nobody: its guests are gone.
    held_.emplace(file_ && file_->first == boot() ? std::optional{file_->second} : std::nullopt);
    time_.after(luck_.between(10, 100), [this, life = fencer_life_] {
      if (life == fencer_life_)
        driver->start_daemon();
    });
    fencing_since_ = 0;
    round(fencer_life_);
  });
}

void machine::round(uint64_t life) {
  if (life != fencer_life_)
    return;
  if (!held_->passed(clock.boot_time()))
    fencing_since_ = 0;
  else if (fencing_since_ == 0)
    fencing_since_ = time_.now();
  if (fencer_.fences && fencing_since_ != 0)
    driver->kill_ha_guests(fencing_since_, fencer_.kill_ms);
  time_.after(fencer_.round_ms, [this, life] { round(life); });
}

bool machine::order_now(std::chrono::nanoseconds deadline) {
  if (fencer_life_ == 0 || !held_->order(deadline))
    return false;
  file_ = {boot(), deadline};
  held_->written(true);
  return true;
}

bool machine::order(std::chrono::nanoseconds deadline, std::function<void(bool)> done) {
  if (fencer_life_ == 0)
    return false;
  if (!held_->order(deadline)) {
    done(false);
    return true;
  }
  time_.after(luck_.between(1, 15), [this, deadline, life = fencer_life_, done = std::move(done)] {
    if (life != fencer_life_) {
      done(false);
      return;
    }
    file_ = {boot(), deadline};
    held_->written(true);
    done(true);
  });
  return true;
}

} // namespace novacron::sim
