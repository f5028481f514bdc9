#pragma once

#include "dwcp/session/receiving_session.hpp"
#include "dwcp/session/session.hpp"
#include "dwcp/transport/reception.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace novacron {

/// The sessions that a door expects, by migration. Outlives the door and its
/// receivers, whichever goes first. Safe from any thread.
class expected_sessions {
public:
  /// False when the migration is expected already.
  bool add(migration_id migration, const std::shared_ptr<receiving_session>& session);
  void remove(migration_id migration);
  /// Null when nobody expects it.
  std::shared_ptr<receiving_session> find(migration_id migration);

private:
  std::mutex mutex_;
  std::map<migration_id, std::weak_ptr<receiving_session>> sessions_;
};

/// Listens, and leads each connection to the session that its ticket names. A
/// connection has a thread of its own, and little time, until then.
class door final : public page_door {
public:
  door(tls_context tls, descriptor listener);

  [[nodiscard]] uint16_t port() const override { return reception_.port(); }
  result<std::unique_ptr<page_receiver>>
  expect(const session_ticket& ticket, const receive_options& options, session_end end) override;

private:
  void welcome(descriptor socket, const wakeup& closing);
  result<void> lead_in(std::unique_ptr<tls_stream>& stream,
                       const std::shared_ptr<wire_counter>& wire, const wakeup& closing,
                       deadline until);

  const tls_context tls_;
  const std::shared_ptr<expected_sessions> expected_;
  reception reception_; ///< last: it serves with the others
};

} // namespace novacron
