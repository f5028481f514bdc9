#include "actors/scheduler/host_choice.hpp"

#include <algorithm>

namespace novacron {

host_choice::candidate host_choice::judge(const host_record& host, uint64_t free_memory_mib,
                                          uint64_t free_vcpus, bool live_migration) const {
  candidate out{hurdle::fits, host.id, free_memory_mib, std::max<uint64_t>(host.memory_mib, 1),
                free_vcpus,   {}};
  auto stop = [&](hurdle why, std::string complaint) {
    out.stopped_by = why;
    out.complaint = "host " + host.name + ' ' + std::move(complaint);
    return out;
  };
  if (host.state != host_state::up)
    return stop(hurdle::not_up, "is " + to_string(host.state));
  if (live_migration && !host.live_migration_problem.empty())
    return stop(hurdle::no_live_migration, "can't take part: " + host.live_migration_problem);
  if (std::ranges::find(host.images, spec_.image) == host.images.end())
    return stop(hurdle::no_image, "doesn't have image " + spec_.image);
  if (free_memory_mib < spec_.memory_mib)
    return stop(hurdle::no_room, "has " + std::to_string(free_memory_mib) + " MiB free, "
                                     + std::to_string(spec_.memory_mib - free_memory_mib)
                                     + " MiB are missing");
  if (free_vcpus < spec_.vcpus)
    return stop(hurdle::no_room, "has " + std::to_string(free_vcpus) + " vcpus free, "
                                     + std::to_string(spec_.vcpus - free_vcpus) + " are missing");
  return out;
}

bool host_choice::better(const candidate& left, const candidate& right) {
  if (left.stopped_by != right.stopped_by)
    return left.stopped_by > right.stopped_by;
  // By the free share of memory; a cross product keeps it exact.
  auto left_share = left.free_memory_mib * right.memory_mib;
  auto right_share = right.free_memory_mib * left.memory_mib;
  if (left.stopped_by == hurdle::no_room)
    return left.free_memory_mib > right.free_memory_mib;
  if (left_share != right_share)
    return left_share > right_share;
  return left.free_vcpus > right.free_vcpus;
}

void host_choice::consider(const host_record& host, uint64_t free_memory_mib, uint64_t free_vcpus,
                           bool live_migration) {
  auto next = judge(host, free_memory_mib, free_vcpus, live_migration);
  if (better(next, best_))
    best_ = std::move(next);
}

place_answer host_choice::answer() const {
  if (best_.stopped_by == hurdle::fits)
    return {best_.host, {}};
  auto need = "no host can take a guest of " + std::to_string(spec_.memory_mib) + " MiB and "
              + std::to_string(spec_.vcpus) + " vcpus";
  if (best_.stopped_by == hurdle::none_considered)
    return {{}, need + ": there is no other host; add one"};
  return {{}, need + ": " + best_.complaint + ", and comes nearest; free or add what is missing"};
}

} // namespace novacron
