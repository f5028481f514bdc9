#include "actors/migration/decision.hpp"

#include <utility>

namespace novacron {

namespace {

constexpr auto ask_again = std::chrono::milliseconds{100};

/// A later phase has the greater rank; the two ways to end share one.
int rank(migration_phase phase) {
  switch (phase) {
  case migration_phase::queued:
  case migration_phase::reserved:
    return 0;
  case migration_phase::committed:
    return 1;
  case migration_phase::aborted:
  case migration_phase::finished:
  case migration_phase::returned:
    return 2;
  case migration_phase::done:
  case migration_phase::rolled_back:
    return 3;
  }
  return 0;
}

} // namespace

void decision::advance(migration_phase to) {
  if (rank(to) > rank(record_.phase))
    record_.phase = to;
}

void decision::record_changed(const migration_record& record) {
  auto known_phase = record_.phase;
  record_ = record;
  advance(known_phase); // an answer may have been ahead of the feed
}

void decision::wish(migration_decision what, std::string reason) {
  if (wish_ == what)
    return;
  wish_ = what;
  reason_ = std::move(reason);
}

std::optional<propose_decision> decision::next(time_point now) {
  auto open = wish_ == migration_decision::return_guest ? phase() == migration_phase::committed
                                                        : phase() == migration_phase::reserved;
  if (!wish_ || !open || proposed_ || now < not_before_)
    return std::nullopt;
  proposed_ = true;
  // Who calls it off says that elsewhere: what ends it here is in the way today.
  const bool may_pass = *wish_ == migration_decision::abort;
  return propose_decision{{record_.id, record_.epoch, *wish_, reason_, may_pass}};
}

void decision::answered(const std::optional<command_outcome>& outcome, time_point now) {
  proposed_ = false;
  not_before_ = now + ask_again;
  if (outcome && (outcome->ok() || outcome->error == command_errc::already_decided))
    advance(outcome->phase);
}

} // namespace novacron
