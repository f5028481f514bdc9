// The connections of a sending session: how they are made, lost and replaced, and
// what they bring.

#include "dwcp/session/limits.hpp"
#include "dwcp/session/sending_session.hpp"
#include "dwcp/session/used_up.hpp"

#include <utility>

namespace novacron {

namespace {

std::chrono::steady_clock::time_point now() {
  return std::chrono::steady_clock::now();
}

} // namespace

/// All at once.
result<void> sending_session::connect_streams() {
  opener_.emplace(
      [this](uint16_t number, const wakeup& stop, deadline until) {
        return open_connection({tls_, ticket_, options_, session_, wire_, stop}, number, until);
      },
      [this] { outcome_.nudge().raise(); });
  for (uint16_t i = 0; i < options_.streams; ++i)
    opener_->begin(i, now() + session_limits::opening);
  for (uint32_t opened = 0; opened < options_.streams;) {
    outcome_.nudge().clear();
    if (outcome_.failed())
      return *outcome_.why();
    for (auto& each : opener_->take()) {
      if (!each.outcome) {
        outcome_.fail(each.outcome.error());
        continue;
      }
      if (opened++ == 0) {
        terms_ = each.outcome->terms; // all connections get the same answer
        if (terms_.dialect != batch_dialect::plain_pages && options_.resume_limit.count() > 0)
          streams_.keep_frames();
      }
      if (auto used = use(each.number, std::move(each.outcome->stream)); !used)
        outcome_.fail(used.error());
    }
    if (outcome_.failed())
      return *outcome_.why();
    if (opened < options_.streams)
      wait_for(-1, 0, outcome_.nudge(), deadline::max());
  }
  if (options_.share)
    share_.emplace(options_.share, options_.weight);
  lanes_.emplace(terms_.lanes, options_.compression_level,
                 packing_lanes::callbacks{[this](frame x) {
                                            if (share_)
                                              share_->sent(size_of(x));
                                            streams_.send(std::move(x));
                                            outcome_.nudge().raise();
                                          },
                                          [this](const std::exception& why) {
                                            outcome_.fail(used_up("compression", why));
                                          }});
  level_.emplace(terms_.lanes, now());
  source_.emplace(session_, session_seed(ticket_), terms_.store_bytes, [this](frame x) {
    if (x.header.kind != frame_kind::batch)
      return streams_.send(std::move(x));
    window_.sent(now());
    lanes_->put(std::move(x));
  });
  return {};
}

/// Connections that were lost are replaced while the guest runs; meanwhile the
/// others carry on. Once it has stopped nobody waits for them: without any it goes on at
/// the source.
result<void> sending_session::mend() {
  for (auto& each : opener_->take())
    if (auto tried = replace(each.number, std::move(each.outcome)); !tried)
      return tried;
  if (!reads_ahead())
    read_ahead_ = 0;
  if (plan_.empty())
    return {};
  const bool alone = streams_.size() == 0;
  const bool stopped = source_->splitter().completing();
  if (terms_.dialect == batch_dialect::plain_pages || (alone && (stopped || plan_.given_up(now()))))
    return *plan_.why();
  if (stopped)
    return {};
  while (const auto connection = plan_.due(now())) {
    plan_.begun(*connection);
    opener_->begin(*connection, now() + session_limits::reconnecting);
  }
  return {};
}

result<void> sending_session::replace(uint16_t connection, result<opened_connection> opened) {
  if (!opened) {
    // The destination has ended the session, or was told to.
    if (opened.error().code == dwcp_errc::unauthorised)
      return *plan_.why();
    plan_.failed(connection, now());
    return {};
  }
  if (!use(connection, std::move(opened->stream))) {
    plan_.failed(connection, now());
    return {};
  }
  plan_.restored(connection);
  ++reconnects_;
  return {};
}

/// In the place of the connection of that number, if there was one.
result<void> sending_session::use(uint16_t connection, std::unique_ptr<tls_stream> opened) {
  streams_.drop(connection);
  {
    // What it said of its end is answered with this.
    const std::scoped_lock lock{mutex_};
    std::erase_if(mailbox_.lost, [&](const auto& x) { return x.first == connection; });
  }
  try {
    streams_.add(connection, std::move(opened));
  } catch (const std::exception& why) {
    return used_up("page connection", why);
  }
  return {};
}

/// On a reader's thread.
result<void> sending_session::arrived(frame x) {
  {
    const std::scoped_lock lock{mutex_};
    switch (x.header.kind) {
    case frame_kind::ack:
      if (!mailbox_.acknowledgement || mailbox_.acknowledgement->sequence < x.header.sequence)
        mailbox_.acknowledgement = x.header;
      break;
    case frame_kind::return_path:
      if (!next_of_return_path(x.header))
        break;
      if (mailbox_.return_bytes.size() + gate_backlog_ > session_limits::return_bytes)
        return make_failure(dwcp_errc::too_many,
                            "return path: more than " + std::to_string(session_limits::return_bytes)
                                + " bytes wait for the source's QEMU, which doesn't read them");
      mailbox_.return_bytes.insert(mailbox_.return_bytes.end(), x.payload.begin(), x.payload.end());
      break;
    case frame_kind::return_end:
      if (next_of_return_path(x.header))
        mailbox_.return_ended = true;
      break;
    case frame_kind::ended:
      mailbox_.ended = x.header.chain;
      streams_.expect_ends();
      break;
    default:
      return make_failure(dwcp_errc::malformed, "frame: a destination doesn't send this kind");
    }
  }
  outcome_.nudge().raise();
  return {};
}

/// After a loss the destination says all of it again, from the first on.
bool sending_session::next_of_return_path(const frame_header& header) {
  if (terms_.dialect == batch_dialect::plain_pages)
    return true;
  if (header.records != return_frames_)
    return false;
  ++return_frames_;
  return true;
}

/// On a thread of that connection.
void sending_session::lost(uint16_t connection, failure why) {
  if (options_.resume_limit.count() == 0)
    return outcome_.fail(std::move(why));
  {
    const std::scoped_lock lock{mutex_};
    mailbox_.lost.emplace_back(connection, std::move(why));
  }
  outcome_.nudge().raise();
}

} // namespace novacron
