#include "dwcp/kept_memory/memory_recorder.hpp"

#include "dwcp/kept_memory/kept_memory.hpp"

#include <utility>

namespace novacron {

memory_recorder::memory_recorder(std::shared_ptr<kept_memory> memory,
                                 std::shared_ptr<recording> into)
    : memory_{std::move(memory)}, into_{std::move(into)} {
  // nop
}

memory_recorder::~memory_recorder() {
  end(false);
}

void memory_recorder::keep(page_place place, page_content content) {
  places_.push_back(place);
  content_.insert(content_.end(), content.begin(), content.end());
  if (places_.size() == pages_at_once)
    hand_over(std::nullopt);
}

void memory_recorder::end(bool whole) {
  if (!memory_)
    return;
  hand_over(whole);
  memory_.reset();
}

void memory_recorder::hand_over(std::optional<bool> end) {
  memory_->put({into_, std::exchange(places_, {}), std::exchange(content_, {}), end});
}

} // namespace novacron
