// Actors of migrations, and sources that ask before the feed shows us their reservation.

#include "actors/host/host_logic.hpp"

namespace novacron {

host_effects host_logic::present(migration_id migration, host_moment now) {
  migrations_.insert_or_assign(migration, true);
  host_effects out;
  tell(migration, out);
  serve_early_requests(now, out);
  return out;
}

host_effects host_logic::absent(migration_id migration) {
  host_effects out;
  if (migrations_.erase(migration) > 0)
    tell(migration, out);
  return out;
}

std::optional<migration_changed> host_logic::attached(migration_id migration) {
  auto word = table_.word_for(migration);
  if (word)
    migrations_.insert_or_assign(migration, true);
  return word;
}

void host_logic::tell(migration_id id, host_effects& out) {
  auto actor = migrations_.find(id);
  if (actor != migrations_.end()) {
    if (!actor->second)
      return; // it is starting, and will be told
    if (auto word = table_.word_for(id))
      out.emplace_back(tell_migration{std::move(*word)});
    return;
  }
  const auto* record = table_.find(id);
  if (!record || !table_.needs_actor(*record))
    return;
  migrations_.insert_or_assign(id, false);
  out.emplace_back(need_migration_actor{id, record->from == settings_.self.id});
}

host_effects host_logic::asked_to_prepare(uint64_t ticket, const prepare_migration& request,
                                          host_moment now) {
  if (early_.size() >= settings_.most_early_requests)
    return {refuse_request{ticket, "too many migrations come here at once"}};
  early_.push_back({ticket, request, now.now + settings_.early_patience});
  host_effects out;
  serve_early_requests(now, out);
  return out;
}

void host_logic::serve_early_requests(host_moment now, host_effects& out) {
  std::erase_if(early_, [&](const early_request& each) {
    auto actor = migrations_.find(each.request.migration);
    if (actor != migrations_.end() && actor->second)
      out.emplace_back(pass_on_request{each.ticket, each.request});
    else if (now.now >= each.until)
      out.emplace_back(
          refuse_request{each.ticket, "the reservation is not in this host's copy of the log"});
    else
      return false;
    return true;
  });
}

} // namespace novacron
