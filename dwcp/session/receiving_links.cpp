// The connections of a receiving session: how they join it, are lost and replaced,
// and what they bring.

#include "dwcp/session/receiving_session.hpp"
#include "dwcp/session/used_up.hpp"

#include <utility>

namespace novacron {

result<void> receiving_session::adopt(std::unique_ptr<tls_stream>& stream,
                                      const frame_header& opened, const open_request& request,
                                      const std::shared_ptr<wire_counter>& wire, deadline until) {
  // One at a time, and none once we close.
  const std::scoped_lock adopting{adopting_};
  const auto terms = claim(opened, request);
  if (!terms)
    return terms.error();
  frame accepted;
  accepted.header.kind = frame_kind::accepted;
  accepted.header.session = opened.session;
  put_terms(accepted.header, *terms);
  if (auto written = stream->write_frame(accepted, outcome_.stopped(), until); !written)
    return written;
  {
    const std::scoped_lock lock{mutex_};
    if (closed_)
      return outcome_.why().value_or(
          make_failure(dwcp_errc::unauthorised, "page session: it has ended"));
    if (!streams_)
      streams_ = make_streams();
    wires_.push_back(wire);
  }
  // Its reader may wait for room: it must let go before another takes its place.
  streams_->drop(request.stream);
  {
    const std::scoped_lock lock{mutex_};
    lost_.erase(request.stream);
  }
  try {
    streams_->add(request.stream, std::move(stream));
  } catch (const std::exception& why) {
    lost(request.stream, used_up("page connection", why)); // as before, or anew
    throw;
  }
  outcome_.nudge().raise();
  return {};
}

std::unique_ptr<stream_set> receiving_session::make_streams() {
  return std::make_unique<stream_set>(
      session_, options_.silence_limit,
      stream_set::callbacks{
          [this](uint16_t connection, frame x) { return arrived(connection, std::move(x)); },
          [this](uint16_t connection, failure why) { lost(connection, std::move(why)); },
          [this](failure why) {
            outcome_.fail(std::move(why));
            const std::scoped_lock lock{mutex_};
            room_.notify_all();
          },
          [this] { outcome_.nudge().raise(); }});
}

/// A ticket is good for the first session that shows it, and in that session for as
/// many connections as it announced, and for those that replace them.
result<session_terms> receiving_session::claim(const frame_header& opened,
                                               const open_request& request) {
  if (!same_ticket(ticket_, request.ticket))
    return make_failure(dwcp_errc::unauthorised,
                        "page session: the ticket is not the expected one; "
                        "start the migration again");
  const std::scoped_lock lock{mutex_};
  if (const auto why = outcome_.why())
    return *why;
  if (closed_ || (streams_claimed_ > 0 && opened.session != session_))
    return make_failure(dwcp_errc::unauthorised, "page session: its ticket was used before; "
                                                 "start the migration again");
  if (streams_claimed_ == 0) {
    session_ = opened.session;
    terms_ = agree(get_terms(opened), options_.store_bytes);
    streams_expected_ = request.streams;
  }
  // The source finds a loss sooner than we may.
  if (streams_claimed_ == streams_expected_ && request.streams == streams_expected_
      && can_resume()) {
    ++reconnects_;
    return terms_;
  }
  if (takes_further(request)) {
    if (!further_.insert(request.stream).second)
      ++reconnects_;
    return terms_;
  }
  if (request.streams != streams_expected_ || streams_claimed_ >= streams_expected_)
    return make_failure(dwcp_errc::too_many, "page session: more connections than the "
                                                 + std::to_string(streams_expected_)
                                                 + " that were announced");
  ++streams_claimed_;
  return terms_;
}

/// One beyond those that the session began with, or in the place of such a one.
bool receiving_session::takes_further(const open_request& request) const {
  return terms_.dialect >= batch_dialect::lent_pages && can_resume()
         && streams_claimed_ == streams_expected_ && request.stream >= streams_expected_
         && request.streams == request.stream + 1;
}

/// On a reader's thread, which waits here while too much is queued: so TCP
/// holds the source back.
result<void> receiving_session::arrived(uint16_t connection, frame x) {
  if (x.header.kind != frame_kind::batch && x.header.kind != frame_kind::end)
    return make_failure(dwcp_errc::malformed, "frame: a source doesn't send this kind");
  {
    std::unique_lock lock{mutex_};
    room_.wait(lock, [&] {
      return closed_ || outcome_.failed() || lost_.contains(connection) || queue_.admits(x.header)
             || queue_.seen(x.header.sequence);
    });
    if (closed_ || outcome_.failed() || lost_.contains(connection))
      return {};
    // What a lost connection brought is sent again, and what a slow one brings by another as well.
    if (terms_.dialect != batch_dialect::plain_pages && queue_.seen(x.header.sequence))
      return {};
    if (!queue_.put(std::move(x)))
      return make_failure(dwcp_errc::malformed,
                          "frame: its place in the session is taken or too far ahead");
  }
  outcome_.nudge().raise();
  return {};
}

/// On a thread of that connection, or of the one that takes its place.
void receiving_session::lost(uint16_t connection, failure why) {
  const std::scoped_lock lock{mutex_};
  // A source that is still connecting doesn't come back.
  if (!can_resume() || streams_claimed_ < streams_expected_)
    outcome_.fail(why);
  lost_.try_emplace(connection, loss{std::move(why), std::chrono::steady_clock::now()});
  say_again_ = true;
  room_.notify_all();
  outcome_.nudge().raise();
}

bool receiving_session::can_resume() const {
  return terms_.dialect != batch_dialect::plain_pages && options_.resume_limit.count() > 0;
}

} // namespace novacron
