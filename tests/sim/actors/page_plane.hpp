#pragma once

#include "any_host.hpp"
#include "dwcp/session/session.hpp"
#include "page_transfer.hpp"

#include <functional>
#include <map>
#include <memory>

namespace novacron::sim {

/// The page plane between simulated hosts: sessions as the actors of migrations
/// open them, with a `page_transfer` in between.
///
/// In life a Perform blocks a thread for as long as the memory travels. Here the
/// thread's work waits until the transfer has ended; made then, its call finds the
/// answer that was left for it.
class page_plane {
public:
  page_plane(fleet& with, const std::map<uint64_t, any_host*>& hosts) : with_{with}, hosts_{hosts} {
    // nop
  }

  /// The source's half of a session, at `from`.
  std::unique_ptr<page_sender> send(any_host& from, const session_ticket& ticket, session_end end);
  /// The destination's, at `to`.
  std::unique_ptr<page_receiver> expect(any_host& to, const session_ticket& ticket,
                                        session_end end);
  struct half;
  /// The session that was opened at `from`, and whose Perform hasn't been asked for
  /// yet: it is the next thing that the same turn does. Null: there is none.
  std::shared_ptr<half> take_opened(const any_host& from);
  /// `work` is the session's Perform, and takes as long as that.
  void perform(const std::shared_ptr<half>& source, std::function<void()> work);
  /// The host's process has ended: nothing of it is told anything any more.
  void forget(const any_host& of);

  struct half {
    page_plane& plane;
    any_host& at;
    uint64_t life = 0;
    session_ticket ticket;
    session_end end;                      ///< empty: it was told
    std::function<void()> perform;        ///< waits for the transfer's end
    std::shared_ptr<page_transfer> pages; ///< once they travel
  };

private:
  friend class open_half;

  void finish(const std::shared_ptr<half>& which, result<session_statistics> how);
  void cancel(const std::shared_ptr<half>& which, const std::string& why);
  void close(const std::shared_ptr<half>& which);
  void source_ends(const std::shared_ptr<half>& source, vm_id vm, const result<perform_end>& end);
  std::shared_ptr<half> open(any_host& at, const session_ticket& ticket, session_end end);

  fleet& with_;
  const std::map<uint64_t, any_host*>& hosts_;
  std::map<uint64_t, std::shared_ptr<half>> opened_;       ///< at sources, before the Perform
  std::map<migration_id, std::shared_ptr<half>> expected_; ///< at destinations
};

} // namespace novacron::sim
