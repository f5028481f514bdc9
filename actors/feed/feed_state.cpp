#include "actors/feed/feed_state.hpp"

#include <algorithm>

namespace novacron {

namespace {

feed_changes nothing_until(uint64_t revision) {
  feed_changes out;
  out.revision = revision;
  return out;
}

} // namespace

read_changes feed_state::read(pull_ticket ticket, open_pull& one) {
  one.reading = true;
  auto request = one.request;
  request.wait = {};
  return {ticket, request};
}

std::vector<migration_progress> feed_state::news_for(const open_pull& one, time_point now) {
  if (!one.request.filter.host.nil())
    return {};
  auto& reader = readers_[one.reader];
  reader.at = now;
  std::vector<migration_progress> out;
  if (reader.heard < last_news_)
    for (const auto& [migration, each] : news_)
      if (each.number > reader.heard)
        out.push_back(each.latest);
  reader.heard = last_news_;
  return out;
}

answer_pull feed_state::answer(pull_ticket ticket, feed_changes changes, time_point now) {
  auto found = pulls_.find(ticket);
  auto more = news_for(found->second, now);
  changes.progress.insert(changes.progress.end(), more.begin(), more.end());
  pulls_.erase(found);
  return {ticket, std::move(changes)};
}

feed_state::effects feed_state::pulled(pull_ticket ticket, uint64_t reader,
                                       const pull_request& request, time_point now) {
  if (pulls_.size() >= config_.most_pulls)
    return {refuse_pull{ticket}};
  auto wait = std::clamp(request.wait, std::chrono::milliseconds{0}, config_.longest_wait);
  auto& one = pulls_[ticket];
  one = {reader, request, now + wait, false};
  auto nothing_new = applied_ != 0 && request.after == applied_;
  if (!nothing_new)
    return {read(ticket, one)};
  // The reader is up to date with the log; is it with the progress?
  return was_read(ticket, nothing_until(applied_), now);
}

feed_state::effects feed_state::was_read(pull_ticket ticket, feed_changes changes, time_point now) {
  auto found = pulls_.find(ticket);
  if (found == pulls_.end())
    return {};
  auto& one = found->second;
  one.reading = false;
  one.request.after = std::max(one.request.after, changes.revision);
  if (changes.too_old || !changes.changes.empty() || now >= one.deadline)
    return {answer(ticket, std::move(changes), now)};
  if (one.request.after < applied_)
    return {read(ticket, one)}; // more was applied meanwhile
  if (auto news = news_for(one, now); !news.empty()) {
    changes.progress = std::move(news);
    return {answer(ticket, std::move(changes), now)};
  }
  return {};
}

void feed_state::not_read(pull_ticket ticket) {
  pulls_.erase(ticket);
}

feed_state::effects feed_state::applied(uint64_t revision) {
  applied_ = std::max(applied_, revision);
  effects out;
  for (auto& [ticket, one] : pulls_)
    if (!one.reading && one.request.after < applied_)
      out.emplace_back(read(ticket, one));
  return out;
}

feed_state::effects feed_state::progressed(const migration_progress& progress, time_point now) {
  if (!news_.contains(progress.migration) && news_.size() >= config_.most_progress)
    news_.erase(
        std::ranges::min_element(news_, {}, [](const auto& each) { return each.second.number; }));
  news_[progress.migration] = {progress, ++last_news_, now};
  effects out;
  for (auto i = pulls_.begin(); i != pulls_.end();) {
    auto& [ticket, one] = *i++;
    if (!one.reading && one.request.filter.host.nil())
      out.emplace_back(answer(ticket, nothing_until(one.request.after), now));
  }
  return out;
}

feed_state::effects feed_state::tick(time_point now) {
  effects out;
  for (auto i = pulls_.begin(); i != pulls_.end();) {
    auto& [ticket, one] = *i++;
    // Not all entries change records; the reader's place follows them, too.
    if (!one.reading && now >= one.deadline)
      out.emplace_back(read(ticket, one));
  }
  std::erase_if(news_,
                [&](const auto& each) { return now - each.second.at >= config_.keep_progress; });
  std::erase_if(readers_,
                [&](const auto& each) { return now - each.second.at >= config_.keep_progress; });
  return out;
}

} // namespace novacron
