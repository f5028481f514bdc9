#include "actors/migration/incoming.hpp"

#include "dwcp/errors.hpp"
#include "hypervisor/errors.hpp"

#include <fcntl.h>
#include <filesystem>
#include <sys/random.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace novacron {

namespace {

std::array<std::byte, 32> random_token() {
  std::array<std::byte, 32> token{};
  if (::getrandom(token.data(), token.size(), 0) != static_cast<ssize_t>(token.size()))
    throw std::system_error{errno, std::generic_category(), "getrandom"};
  return token;
}

/// A Finish that had no effect; any other failure may have come after one.
bool says_that_it_did_not_run(const failure& why) {
  return why.code == hypervisor_errc::no_such_guest || why.code == hypervisor_errc::refused
         || why.code == hypervisor_errc::unreachable;
}

/// Creates the file and its entry in the folder, both on the disk.
bool create_durably(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::create_directories(file.parent_path(), ignored);
  for (const auto& [path, flags] : {std::pair{file, O_CREAT | O_WRONLY},
                                    std::pair{file.parent_path(), O_RDONLY | O_DIRECTORY}}) {
    int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    auto synced = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0)
      ::close(fd);
    if (!synced)
      return false;
  }
  return true;
}

} // namespace

result<migration_prepared>
incoming::prepare(const prepare_migration& request,
                  std::function<void(result<migration_cost>)> pages_ended) {
  const auto& record = about_.migration;
  auto spec = make_guest_spec(*context_, about_.vm, record.epoch.next());
  if (!spec)
    return spec.error();
  auto socket = context_->incoming_socket(record.id);
  session_ticket ticket{record.id, record.from, record.to, record.epoch, random_token()};
  receive_options options;
  options.stream_socket = socket;
  auto receiver = context_->pages->expect(
      ticket, options, [ended = std::move(pages_ended)](const result<session_statistics>& how) {
        if (!how)
          ended(how.error());
        else if (!how->chain_ok)
          ended(make_failure(dwcp_errc::digest_mismatch, "the two ends don't agree on the memory"));
        else
          ended(migration_cost{{}, how->guest_bytes, how->wire_bytes, how->rounds, true});
      });
  if (!receiver)
    return receiver.error();
  {
    std::lock_guard lock{mutex_};
    receiver_ = std::move(*receiver);
  }
  auto cookie
      = context_->driver->migration_prepare({*spec, {request.domain_xml, request.cookie}, socket});
  if (!cookie) {
    release();
    return cookie.error();
  }
  return migration_prepared{record.id, *cookie, context_->self.page_address, ticket.token};
}

std::optional<failure> incoming::finish(const std::string& cookie) {
  auto mark = context_->finish_mark(about_.migration.id);
  auto first = !std::filesystem::exists(mark);
  if (!create_durably(mark))
    return make_failure(hypervisor_errc::unreachable,
                        "cannot note in " + context_->state.string()
                            + " that the guest is about to run; free space there");
  auto done = context_->driver->migration_finish(about_.vm.id, cookie, false);
  if (done)
    return std::nullopt;
  if (first && says_that_it_did_not_run(done.error())) {
    std::error_code ignored; // a mark that stays says less than we know, and harms nothing
    std::filesystem::remove(mark, ignored);
  }
  return done.error();
}

std::optional<failure> incoming::cancel() {
  release();
  auto done = context_->driver->migration_finish(about_.vm.id, {}, true);
  return done ? std::nullopt : std::optional{done.error()};
}

result<found_guest> incoming::look() const {
  auto guests = context_->driver->list();
  if (!guests)
    return guests.error();
  found_guest found;
  found.may_have_run = std::filesystem::exists(context_->finish_mark(about_.migration.id));
  for (const auto& guest : *guests) {
    if (guest.vm != about_.vm.id || guest.epoch != about_.migration.epoch.next())
      continue;
    // A hypervisor that has just come back shows one that it is about to end.
    if (guest.phase == guest_phase::paused)
      return make_failure(hypervisor_errc::outcome_unknown,
                          "the guest is paused, neither incoming nor running; look again");
    found.guest = guest.phase == guest_phase::incoming ? found_guest::presence::incoming
                                                       : found_guest::presence::here;
  }
  return found;
}

void incoming::release() {
  std::unique_lock lock{mutex_};
  auto last = std::move(receiver_);
  lock.unlock();
}

void incoming::forget() const {
  std::error_code ignored;
  std::filesystem::remove(context_->finish_mark(about_.migration.id), ignored);
  std::filesystem::remove(context_->incoming_socket(about_.migration.id), ignored);
}

} // namespace novacron
