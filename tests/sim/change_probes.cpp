#include "change_probes.hpp"

namespace novacron::sim {

void count_change(probes& seen, const membership_change& wish, const change_result& became,
                  change_circumstances when) {
  using kind = membership_change::kind;
  using end = change_result::kind;
  if (became.what == end::unknown)
    seen.hit(probe::change_unknown);
  if (became.what == end::refused && became.reason.find("are needed") != std::string::npos)
    seen.hit(probe::change_refused);
  if (became.what == end::not_leader && when.of_the_leader)
    seen.hit(probe::leader_hands_over_to_leave);
  if (became.what != end::done)
    return;
  if (when.in_partition)
    seen.hit(probe::change_in_partition);
  switch (wish.what) {
  case kind::add:
    seen.hit(probe::standby_added);
    break;
  case kind::promote:
    seen.hit(probe::standby_promoted);
    break;
  case kind::demote:
    seen.hit(probe::voter_demoted);
    break;
  case kind::remove:
    seen.hit(probe::member_removed);
    break;
  case kind::rename:
    break;
  }
}

} // namespace novacron::sim
