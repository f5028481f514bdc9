#include "feed_source.hpp"

#include "storage/state/audience.hpp"

namespace novacron::sim {

namespace {

constexpr size_t page_records = 7; // few, so that listings have pages
constexpr size_t most_changes = 9; // of an answer, at the end of a revision

std::string key_of(const any_record& record) {
  return std::to_string(static_cast<int>(type_of(record))) + to_string(id_of(record));
}

} // namespace

void feed_source::add(uint64_t revision, const applied_batch& done) {
  if (!log_.empty() && log_.back().revision >= revision)
    return;
  log_.push_back({revision, done.changes, done.audience});
  while (log_.size() > keep_) {
    forgotten_ = log_.front().revision;
    log_.pop_front();
  }
}

void feed_source::begin_at(uint64_t revision) {
  while (!log_.empty() && log_.back().revision > revision)
    log_.pop_back();
}

void feed_source::restart_at(uint64_t revision) {
  log_.clear();
  forgotten_ = revision;
}

feed_listing feed_source::list(const cluster_state& state, uint64_t revision,
                               const list_request& request) {
  feed_listing page;
  page.revision = revision;
  auto migration_of = [&](migration_id id) { return state.find(id); };
  for (auto& record : state.records()) {
    auto key = key_of(record);
    if (!request.only.nil()) {
      if (type_of(record) != record_type::vm || id_of(record) != request.only.value)
        continue;
    } else if (key < request.from || !concerns(record, request.filter.host, migration_of)) {
      continue;
    }
    if (page.records.size() >= page_records) {
      page.next = std::move(key);
      break;
    }
    page.records.push_back(std::move(record));
  }
  return page;
}

feed_changes feed_source::changes_after(uint64_t applied, const pull_request& request) const {
  feed_changes answer;
  answer.revision = std::max(applied, request.after);
  if (request.after < forgotten_) {
    answer.revision = applied;
    answer.too_old = true;
    return answer;
  }
  for (const auto& each : log_) {
    if (each.revision <= request.after)
      continue;
    if (answer.changes.size() >= most_changes) {
      answer.revision = each.revision - 1;
      break;
    }
    for (size_t i = 0; i < each.changes.size(); ++i)
      if (is_for(request.filter.host, each.audience[i], type_of(each.changes[i].record)))
        answer.changes.push_back(each.changes[i]);
  }
  return answer;
}

} // namespace novacron::sim
