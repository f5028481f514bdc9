#include "actors/replica/lease_watch.hpp"

#include "messages/lease_margins.hpp"

#include <unordered_set>

namespace novacron {

namespace {

constexpr auto propose_again = std::chrono::seconds{1};

} // namespace

std::vector<expire_lease> lease_watch::look(const std::vector<lease_record>& leases,
                                            time_point now) {
  std::vector<expire_lease> over;
  std::unordered_set<node_id> present;
  for (const auto& lease : leases) {
    if (lease.expired)
      continue;
    present.insert(lease.host);
    auto [slot, fresh] = seen_.try_emplace(lease.host);
    auto& seen = slot->second;
    if (fresh || seen.renewal != lease.renewal)
      seen = {lease.renewal, now, {}};
    auto asked = seen.proposed != time_point{} && now - seen.proposed < propose_again;
    if (now - seen.at < lease_expires_after(lease.term) || asked)
      continue;
    seen.proposed = now;
    over.push_back({lease.host, lease.renewal});
  }
  std::erase_if(seen_, [&](const auto& each) { return !present.contains(each.first); });
  return over;
}

} // namespace novacron
