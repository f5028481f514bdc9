// The connections of a sending session: how they are made, lost and replaced, and
// what they bring.

#include "dwcp/kept_memory/kept_memory.hpp"
#include "dwcp/session/limits.hpp"
#include "dwcp/session/sending_session.hpp"
#include "dwcp/session/used_up.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

namespace {

std::chrono::steady_clock::time_point now() {
  return std::chrono::steady_clock::now();
}

} // namespace

/// All at once, while QEMU gets ready: over a far link it takes three round trips.
void sending_session::begin_connecting() {
  opener_.emplace(
      [this](uint16_t number, const wakeup& stop, deadline until) {
        return open_connection({tls_, ticket_, options_, session_, wire_, stop,
                                [this] { return carries_ && !outcome_.failed(); }},
                               number, until);
      },
      [this] { outcome_.nudge().raise(); });
  for (uint16_t i = 0; i < options_.streams; ++i)
    opener_->begin(i, now() + session_limits::opening);
}

result<void> sending_session::take_connections() {
  for (auto& each : opener_->take()) {
    if (!each.outcome) {
      outcome_.fail(each.outcome.error());
      continue;
    }
    if (connected_++ == 0) {
      terms_ = each.outcome->terms; // all connections get the same answer
      if (terms_.dialect != batch_dialect::plain_pages && options_.resume_limit.count() > 0)
        streams_.keep_frames();
    }
    if (auto used = use(each.number, std::move(each.outcome->stream)); !used)
      outcome_.fail(used.error());
  }
  if (const auto why = outcome_.why())
    return *why;
  return {};
}

/// The guest is there, and all connections that the session begins with.
void sending_session::begin_carrying() {
  carries_ = true;
  if (options_.share)
    share_.emplace(options_.share, options_.weight);
  level_.emplace(terms_.lanes, streams_.path().least_round_trip, now());
  const int level = options_.compress ? level_->level() : 0;
  lanes_.emplace(terms_.lanes, level,
                 packing_lanes::callbacks{[this](frame x) {
                                            if (share_)
                                              share_->sent(size_of(x));
                                            note_packed(x);
                                            streams_.send(std::move(x));
                                            outcome_.nudge().raise();
                                          },
                                          [this](const std::exception& why) {
                                            outcome_.fail(used_up("compression", why));
                                          }});
  next_number_ = static_cast<uint16_t>(options_.streams);
  const bool takes_more
      = terms_.dialect >= batch_dialect::lent_pages && options_.resume_limit.count() > 0;
  planner_.emplace(options_.streams,
                   takes_more ? std::min(options_.most_streams, session_limits::most_streams) : 0,
                   !options_.lossy_control.empty()
                       && streams_.congestion_control() != options_.lossy_control,
                   now());
  streams_as_planned_ = {options_.streams, false};
  source_.emplace(session_, session_seed(ticket_), terms_.store_bytes, [this](frame x) {
    if (x.header.kind != frame_kind::batch)
      return streams_.send(std::move(x));
    window_.sent(now());
    lanes_->put(std::move(x));
  });
  if (options_.kept) {
    recorder_ = options_.kept->record(options_.guest);
    source_->watch(
        [this](page_place place, page_content content) { recorder_->keep(place, content); });
  }
}

/// On a lane's thread.
void sending_session::note_packed(const frame& x) {
  const std::scoped_lock lock{mutex_};
  mailbox_.packed.emplace_back(x.header.sequence, size_of(x));
}

/// Connections that were lost are replaced while the guest runs; meanwhile the
/// others carry on. Once it has stopped nobody waits for them: without any it goes on at
/// the source.
result<void> sending_session::mend() {
  for (auto& each : opener_->take())
    if (widening_.erase(each.number) > 0)
      widen(each.number, std::move(each.outcome));
    else if (auto tried = replace(each.number, std::move(each.outcome)); !tried)
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

/// Others, where those carry more, while the guest runs.
void sending_session::choose_streams() {
  if (source_->splitter().completing() || !plan_.empty() || !widening_.empty())
    return;
  planner_->note(link_is_waited_for());
  if (!planner_->due(now()))
    return;
  const auto wanted = planner_->choose({wire_->total(), streams_.path()}, now());
  if (wanted == std::exchange(streams_as_planned_, wanted))
    return;
  if (!streams_.set_congestion_control(wanted.other_control ? options_.lossy_control : ""))
    planner_->no_other_control();
  streams_.let_carry(wanted.streams);
  for (; next_number_ < wanted.streams; ++next_number_) {
    widening_.insert(next_number_);
    opener_->begin(next_number_, now() + session_limits::reconnecting);
  }
}

/// Nothing is lost where it can't be had.
void sending_session::widen(uint16_t connection, result<opened_connection> opened) {
  if (opened && use(connection, std::move(opened->stream)))
    ++further_streams_;
  else
    planner_->stop_at(next_number_);
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
    case frame_kind::lent:
      if (auto taken = take_lent(std::move(x)); !taken)
        return taken;
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

/// Each page is said once, so as many may wait as may be lent. Under `mutex_`.
result<void> sending_session::take_lent(frame x) {
  const auto pages = x.payload.size() / sizeof(page_digest);
  if (terms_.dialect < batch_dialect::lent_pages || x.payload.size() % sizeof(page_digest) != 0
      || pages > max_lent_pages - lent_said_)
    return make_failure(dwcp_errc::malformed,
                        "lent pages: more than " + std::to_string(max_lent_pages)
                            + ", a part of one, or in a session that has none");
  lent_said_ += pages;
  mailbox_.lent.push_back(std::move(x));
  return {};
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
