#include "request_deck.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace novacron::chaos {

namespace {

constexpr unsigned smallest_share
    = std::gcd(std::gcd(std::gcd(seed_mix[0], seed_mix[1]), std::gcd(seed_mix[2], seed_mix[3])),
               std::gcd(seed_mix[4], seed_mix[5]));
constexpr std::array<std::string_view, request_kinds> names{"list", "create", "start",
                                                            "stop", "delete", "migrate"};

} // namespace

std::string_view name_of(request_kind kind) {
  return names.at(static_cast<size_t>(kind));
}

request_kind request_deck::next(std::mt19937_64& random,
                                const std::function<bool(request_kind)>& can) {
  for (;;) {
    const auto found = std::ranges::find_if(hand_, can);
    if (found != hand_.end()) {
      const auto kind = *found;
      hand_.erase(found);
      return kind;
    }
    const auto old = static_cast<ptrdiff_t>(hand_.size());
    for (size_t kind = 0; kind < request_kinds; ++kind)
      hand_.insert(hand_.end(), seed_mix[kind] / smallest_share, static_cast<request_kind>(kind));
    std::shuffle(hand_.begin() + old, hand_.end(), random);
  }
}

} // namespace novacron::chaos
