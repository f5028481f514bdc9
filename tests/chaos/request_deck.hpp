#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <random>
#include <string_view>
#include <vector>

namespace novacron::chaos {

/// What the seed's users ask for.
enum class request_kind : uint8_t { list, create, start, stop, remove, migrate };
inline constexpr size_t request_kinds = 6;
std::string_view name_of(request_kind kind);

/// The seed's mix: of 100 requests, by kind.
inline constexpr std::array<unsigned, request_kinds> seed_mix{35, 20, 15, 15, 10, 5};

/// Which request comes next, so that their numbers are the mix's, not only by
/// chance. What can't be done yet (nothing is there to delete) is put off until
/// it can, not left out. Pure.
class request_deck {
public:
  /// A list can always be done.
  request_kind next(std::mt19937_64& random, const std::function<bool(request_kind)>& can);

private:
  std::vector<request_kind> hand_; ///< that are to come, the next one first
};

} // namespace novacron::chaos
