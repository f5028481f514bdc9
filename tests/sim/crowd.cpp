#include "crowd.hpp"

#include "bad_call.hpp"

namespace novacron::sim {

namespace {

constexpr uint64_t patience_ms = 4'000;

} // namespace

void crowd::come() {
  for (uint64_t i = 0; i < with_.settings.crowd; ++i)
    call();
}

void crowd::call() {
  // What the cluster refuses disturbs nobody else's calls.
  auto bad = make_bad_call(with_);
  command asked{bad.what, {"crowd", std::to_string(++calls_), with_.fresh_body()}};
  ++open_;
  line_->propose({{asked}}, patience_ms, [this, bad](const std::optional<outcomes>& answer) {
    --open_;
    if (!answer || answer->each.size() != 1)
      return;
    const auto& outcome = answer->each.front();
    with_.all.check.trace(43 + static_cast<uint64_t>(outcome.error) * 8191
                          + with_.all.time.now() * 131071);
    if (outcome.error == command_errc::overloaded)
      with_.all.seen.hit(probe::overload_refused);
    else if (is_final(outcome))
      check_refusal(with_, bad, outcome);
  });
}

} // namespace novacron::sim
