#include "actors/feed/feed_follower.hpp"

#include "messages/mixed_bits.hpp"

#include <algorithm>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto pull_wait = 1'000ms;
constexpr auto first_back_off = 20ms;
constexpr auto longest_back_off = 500ms;
constexpr auto longest_spread = 1'000ms; // before listing again
constexpr uint32_t page_bytes = 65'536;

std::chrono::milliseconds part_of(std::chrono::milliseconds whole, double part) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(part * whole);
}

} // namespace

double phase_of(node_id node) {
  const auto mixed = mixed_bits(node.value.high + node.value.low * golden_gamma);
  return static_cast<double>(mixed >> 11) * 0x1p-53;
}

std::optional<feed_follower::question> feed_follower::next(clock::time_point now) {
  if (open_ || now < not_before_)
    return std::nullopt;
  open_ = true;
  if (listing_)
    return list_request{filter_, page_, page_bytes, linearizable_ && page_.empty(), {}};
  return pull_request{revision_, filter_, page_bytes, pull_wait};
}

void feed_follower::answered(clock::time_point now) {
  open_ = false;
  back_off_ = 0ms;
  last_contact_ = now;
}

void feed_follower::listed(const feed_listing& page, clock::time_point now) {
  if (page.revision < revision_) {
    failed(now);
    return;
  }
  answered(now);
  listed_at_ = page_.empty() ? page.revision : std::min(listed_at_, page.revision);
  for (const auto& record : page.records) {
    listed_.emplace(type_of(record), id_of(record));
    sink_.put(record);
  }
  page_ = page.next;
  if (!page_.empty())
    return;
  sink_.keep_only(listed_);
  listed_.clear();
  listing_ = false;
  complete_ = true;
  revision_ = listed_at_;
}

void feed_follower::changed(const feed_changes& changes, clock::time_point now) {
  answered(now);
  if (changes.too_old) {
    listing_ = true;
    not_before_ = now + part_of(longest_spread, phase_);
    return;
  }
  for (const auto& each : changes.changes)
    if (each.removed)
      sink_.remove(each.record);
    else
      sink_.put(each.record);
  revision_ = std::max(revision_, changes.revision);
  if (sink_.progress)
    for (const auto& each : changes.progress)
      sink_.progress(each);
}

void feed_follower::failed(clock::time_point now) {
  open_ = false;
  back_off_
      = std::clamp<std::chrono::milliseconds>(back_off_ * 2, first_back_off, longest_back_off);
  not_before_ = now + back_off_ - part_of(back_off_, phase_ / 2);
}

} // namespace novacron
