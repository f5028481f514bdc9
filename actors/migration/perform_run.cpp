#include "actors/migration/perform_run.hpp"

#include "actors/migration/page_cost.hpp"
#include "dwcp/errors.hpp"
#include "messages/address.hpp"

#include <filesystem>
#include <utility>

namespace novacron {

namespace {

using namespace std::chrono_literals;

/// Its part of what the host may send, beside the others'.
unsigned weight_of(migration_priority x) {
  switch (x) {
  case migration_priority::low:
    return 1;
  case migration_priority::normal:
    return 2;
  case migration_priority::high:
    break;
  }
  return 4;
}

} // namespace

void perform_run::start(const migration_prepared& destination) {
  const auto& record = about.migration;
  auto socket = context->outgoing_socket(record.id);
  std::error_code ignored; // the sender says what is wrong with the folder
  std::filesystem::create_directories(socket.parent_path(), ignored);
  auto where = parse_address(destination.page_address);
  if (!where) {
    on_end(make_failure(dwcp_errc::unreachable, "the destination named no usable page address: "
                                                    + destination.page_address));
    return;
  }
  session_ticket ticket{record.id, record.from, record.to, record.epoch, destination.token};
  send_options options;
  options.stream_socket = socket;
  options.destination_host = where->host;
  options.destination_port = where->port;
  options.streams = context->page_streams;
  options.share = context->page_share;
  options.weight = weight_of(record.terms.priority);
  options.kept = context->kept;
  options.guest = record.vm;
  auto started = context->send_pages(context->tls, ticket, options,
                                     [self = shared_from_this()](result<session_statistics> how) {
                                       self->page_session_ended(std::move(how));
                                     });
  if (!started) {
    on_end(started.error());
    return;
  }
  {
    std::lock_guard lock{mutex};
    sender = std::move(*started);
  }
  auto begun = context->pool->run_long(
      [self = shared_from_this(), vm = record.vm,
       request = perform_request{destination.cookie, socket, record.terms.may_slow()}] {
        self->perform_ended(self->context->driver->migration_perform(vm, request));
      });
  if (!begun)
    perform_ended(make_failure(dwcp_errc::too_many,
                               "too many migrations leave this host at once; try again later"));
}

void perform_run::cancel(const std::string& reason) {
  std::unique_lock lock{mutex};
  if (sender)
    sender->cancel(reason);
  if (performed) // QEMU has no migration any more that could be aborted
    return;
  lock.unlock();
  // Fails when no job runs: then there is nothing to end.
  static_cast<void>(context->driver->migration_abort(about.migration.vm));
}

void perform_run::release() {
  std::unique_lock lock{mutex};
  auto last = std::move(sender);
  lock.unlock();
}

session_statistics perform_run::statistics() const {
  std::lock_guard lock{mutex};
  return sender ? sender->statistics() : session_statistics{};
}

migration_job perform_run::look(convergence::time_point now) {
  auto vm = about.migration.vm;
  auto job = context->driver->migration_statistics(vm);
  const bool runs = job && job->memory_total_bytes != 0;
  std::unique_lock lock{mutex};
  // Its time goes on, whether anything can be seen of it or not.
  const auto orders = course.look(
      runs ? convergence_sample{job->iteration, job->memory_remaining_bytes} : convergence_sample{},
      now);
  const auto limit = orders.pause_limit;
  const bool changed = !performed && std::exchange(downtime_limit, limit) != limit;
  lock.unlock();
  if (orders.give_up)
    cancel(*orders.give_up);
  else if (changed && runs) // refused when the migration has just ended
    static_cast<void>(context->driver->set_max_downtime(vm, limit));
  return runs ? *job : migration_job{};
}

void perform_run::page_session_ended(result<session_statistics> how) {
  context->log.debug("migration", how ? "the pages are there" : how.error().message,
                     {{"migration", to_string(about.migration.id)}});
  if (const auto warning = how ? raw_warning(*how) : std::nullopt)
    context->log.warning("migration", *warning, {{"migration", to_string(about.migration.id)}});
  std::unique_lock lock{mutex};
  pages = std::move(how);
  conclude(lock);
}

void perform_run::perform_ended(result<std::string> cookie) {
  context->log.debug("migration", cookie ? "QEMU has sent everything" : cookie.error().message,
                     {{"migration", to_string(about.migration.id)}});
  std::unique_lock lock{mutex};
  performed = std::move(cookie);
  if (!*performed && sender)
    sender->cancel("QEMU did not finish: " + performed->error().message);
  conclude(lock);
}

/// The sender removes it once QEMU has come, which may never have happened.
void perform_run::remove_socket() const {
  std::error_code ignored;
  std::filesystem::remove(context->outgoing_socket(about.migration.id), ignored);
}

void perform_run::conclude(std::unique_lock<std::mutex>& lock) {
  if (!pages || !performed)
    return;
  auto call = std::exchange(on_end, {});
  lock.unlock();
  remove_socket();
  if (!call)
    return;
  if (!*pages) // the stream's own failure explains QEMU's
    call(pages->error());
  else if (!*performed)
    call(performed->error());
  else if (!(*pages)->chain_ok)
    call(make_failure(dwcp_errc::digest_mismatch,
                      "the two ends don't agree on what was sent; the guest stays at the source"));
  else
    call(perform_end{**performed, cost_of(**pages)});
}

} // namespace novacron
