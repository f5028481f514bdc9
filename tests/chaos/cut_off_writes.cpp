#include "cut_off_writes.hpp"

#include "runtime/cli/render.hpp"

#include <algorithm>

namespace novacron::chaos {

using namespace std::chrono_literals;

namespace {

constexpr int askers = 4;
constexpr auto answer_limit = 4s;
constexpr auto between_writes = 100ms;

/// One that nobody else asks anything of; empty: there is none.
std::string standing_vm(const ledger& book) {
  for (const auto& [id, vm] : book.vms())
    if (vm.name.starts_with("standing-"))
      return id;
  return {};
}

} // namespace

cut_off_end end_of(const result<client_reply>& reply) {
  if (!reply)
    return cut_off_end::open;
  if (reply->status < 500)
    return cut_off_end::answered;
  return field_text(reply->body, "type").ends_with(":not_leader") ? cut_off_end::refused
                                                                  : cut_off_end::open;
}

void cut_off_tally::add(duration sent, cut_off_end how) {
  ++all_;
  answered_ += how == cut_off_end::answered ? 1 : 0;
  if (how == cut_off_end::refused)
    refused_.push_back(sent);
  else
    last_taken_ = std::max(last_taken_.value_or(sent), sent);
}

std::optional<cut_off_tally::duration> cut_off_tally::stopped() const {
  std::optional<duration> first;
  for (const auto& each : refused_)
    if (each > last_taken_.value_or(duration{-1}) && each < first.value_or(duration::max()))
      first = each;
  return first;
}

std::string cut_off_tally::text() const {
  const auto when = stopped();
  return "of " + std::to_string(all_) + " writes at the one that was cut off "
         + std::to_string(answered_) + " were acknowledged; it "
         + (when ? "took none after " + std::to_string(when->count()) + " ms"
                 : "was not seen to refuse them");
}

cut_off_writes::cut_off_writes(const lab& where, ledger& book, int node)
    : lab_{where}, ledger_{book}, node_{node} {
  const auto vm = standing_vm(book);
  for (int asker = 0; asker < askers && !vm.empty(); ++asker)
    threads_.emplace_back([this, asker, vm] { ask(asker, vm); });
}

cut_off_writes::~cut_off_writes() {
  over_ = true;
  join();
}

void cut_off_writes::join() {
  for (auto& each : threads_)
    each.join();
  threads_.clear();
}

const cut_off_tally& cut_off_writes::tally() {
  join();
  return tally_;
}

void cut_off_writes::ask(int asker, const std::string& vm) {
  client_request call;
  call.method = "POST";
  call.path = "/api/v1/vms/" + vm + "/start";
  call.limit = answer_limit;
  std::this_thread::sleep_for(asker * between_writes);
  for (int turn = 0; !over_; ++turn) {
    const auto sent = clock::now();
    call.idempotency_key = "cut-off-" + std::to_string(sent.time_since_epoch().count()) + '-'
                           + std::to_string(asker);
    const auto reply = lab_.ask(node_, call);
    const auto how = end_of(reply);
    if (how == cut_off_end::answered && reply->ok()) {
      ledger_.requested(vm, "running");
      ledger_.accepted(field_text(reply->body, "id"));
    }
    if (!over_) { // what is answered later says nothing of the cut
      std::lock_guard lock{mutex_};
      tally_.add(std::chrono::duration_cast<std::chrono::milliseconds>(sent - begin_), how);
    }
    std::this_thread::sleep_for(between_writes);
  }
}

} // namespace novacron::chaos
