#include "actors/migration/incoming.hpp"

#include "dwcp/errors.hpp"

#include <atomic>
#include <filesystem>
#include <sys/random.h>
#include <system_error>
#include <utility>

namespace novacron {

namespace {

std::array<std::byte, 32> random_token() {
  std::array<std::byte, 32> token{};
  if (::getrandom(token.data(), token.size(), 0) != static_cast<ssize_t>(token.size()))
    throw std::system_error{errno, std::generic_category(), "getrandom"};
  return token;
}

} // namespace

result<migration_prepared>
incoming::prepare(const prepare_migration& request,
                  std::function<void(result<migration_cost>)> pages_ended) {
  const auto& record = about_.migration;
  auto spec = make_guest_spec(*context_, about_.vm, record.destination_epoch());
  if (!spec)
    return spec.error();
  auto socket = context_->incoming_socket(record.id);
  session_ticket ticket{record.id, record.from, record.to, record.epoch, random_token()};
  receive_options options;
  options.stream_socket = socket;
  options.kept = context_->kept;
  options.guest = record.vm;
  // Why Prepare failed says more than that its pages were given up for it.
  const auto unprepared = std::make_shared<std::atomic<bool>>(false);
  auto receiver = context_->pages->expect(
      ticket, options,
      [unprepared, ended = std::move(pages_ended)](const result<session_statistics>& how) {
        if (*unprepared)
          return;
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
    *unprepared = true;
    release();
    return cookie.error();
  }
  return migration_prepared{record.id, *cookie, context_->self.page_address, ticket.token};
}

std::optional<failure> incoming::finish(const std::string& cookie) {
  return finish_guest(*context_->driver, *mark(), about_.vm.id, cookie);
}

std::optional<failure> incoming::cancel() {
  release();
  return cancel_guest(*context_->driver, about_.vm.id);
}

result<found_guest> incoming::look() const {
  return find_guest(*context_->driver, *mark(), about_.vm.id, about_.migration.destination_epoch());
}

std::unique_ptr<finish_mark> incoming::mark() const {
  const auto id = about_.migration.id;
  if (context_->mark_of)
    return context_->mark_of(id);
  return std::make_unique<finish_mark_file>(context_->finish_mark(id));
}

void incoming::release() {
  std::unique_lock lock{mutex_};
  auto last = std::move(receiver_);
  lock.unlock();
}

void incoming::forget() const {
  mark()->remove();
  std::error_code ignored;
  std::filesystem::remove(context_->incoming_socket(about_.migration.id), ignored);
}

} // namespace novacron
