#include "memory_press.hpp"

#include "runtime/cli/render.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace novacron::chaos {

using namespace std::chrono_literals;

namespace {

constexpr int clients = 96;              // half of them wait: twice as many as a gateway lets
constexpr size_t body_bytes = 1'000'000; // a gateway takes 1 MiB
/// A request holds its body, what was made of it, and its connection's buffer.
constexpr uint64_t most_growth_kib = 256 * 1024;
constexpr auto look_every = 50ms;
constexpr auto most_until_asked = 5s; // design: gateways scale out under memory pressure
constexpr unsigned unavailable = 503;
constexpr unsigned too_many = 429;

uint64_t resident_kib(int pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string word; in >> word;)
    if (uint64_t kib = 0; word == "VmRSS:" && in >> kib)
      return kib;
  return 0;
}

} // namespace

memory_press::memory_press(lab& where, int node) : lab_{where}, node_{node} {
  const int pid = where.node(node).pid();
  std::filesystem::remove(where.scale_out_mark(node));
  before_kib_ = resident_kib(pid);
  threads_.emplace_back([this, pid] { watch(pid); });
  for (int number = 0; number < clients; ++number)
    threads_.emplace_back([this, number] { ask_for_much(number); });
}

memory_press::~memory_press() {
  end();
}

void memory_press::end() {
  {
    const std::scoped_lock lock{mutex_};
    if (!over_)
      lasted_ = elapsed();
    over_ = true;
  }
  ended_.notify_all();
  for (auto& each : threads_)
    each.join();
  threads_.clear();
}

std::chrono::milliseconds memory_press::elapsed() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now()
                                                               - begun_);
}

void memory_press::watch(int pid) {
  do {
    most_kib_ = std::max<uint64_t>(most_kib_, resident_kib(pid));
    if (asked_for_more_ms_ < 0 && std::filesystem::exists(lab_.scale_out_mark(node_)))
      asked_for_more_ms_ = elapsed().count();
  } while (wait(look_every));
  same_process_ = lab_.node(node_).pid() == pid;
}

bool memory_press::wait(std::chrono::milliseconds span) {
  std::unique_lock lock{mutex_};
  return !ended_.wait_for(lock, span, [this] { return over_; });
}

void memory_press::ask_for_much(int number) {
  client_request call;
  call.limit = 5s;
  if (number % 4 == 0) {
    call.method = "POST";
    call.path = "/api/v1/vms";
    call.body = R"({"name":"pressed","vcpus":1,"memory_mib":16,"image":"tick","nothing":")"
                + std::string(body_bytes, 'x') + "\"}"; // refused, once it was read
  } else if (number % 4 == 1) {
    call.path = "/api/v1/operations?limit=1000";
  } else {
    call.path = "/api/v1/vms?limit=1&min_revision=1000000000000"; // is waited for a second
  }
  for (auto pause = 0ms; wait(pause);) {
    pause = 0ms;
    const auto reply = lab_.ask(node_, call);
    const bool shed = reply
                      && (reply->status == too_many
                          || (reply->status == unavailable
                              && field_text(reply->body, "type").ends_with(":overloaded")));
    ++(!reply ? unanswered_ : shed ? shed_ : answered_);
    if (!shed)
      continue;
    if (!reply->retry_after)
      ++shed_without_a_time_;
    pause = std::max(reply->retry_after.value_or(1s), 1s);
  }
}

std::vector<std::string> memory_press::wrong() const {
  std::vector<std::string> found;
  if (shed_ == 0)
    found.emplace_back("more requests were open than may be, and none was sent away");
  if (shed_without_a_time_ > 0)
    found.push_back(std::to_string(shed_without_a_time_)
                    + " requests were sent away without a Retry-After");
  if (answered_ == 0)
    found.emplace_back("no request was answered");
  if (most_kib_ > before_kib_ + most_growth_kib)
    found.push_back("memory grew from " + std::to_string(before_kib_ / 1024) + " MiB to "
                    + std::to_string(most_kib_ / 1024) + " MiB");
  const auto asked
      = asked_for_more_ms_ < 0 ? lasted_ : std::chrono::milliseconds{asked_for_more_ms_};
  if (same_process_ && asked > most_until_asked)
    found.push_back(
        "one more gateway was asked for "
        + (asked_for_more_ms_ < 0 ? "never" : "after " + std::to_string(asked.count()) + " ms"));
  return found;
}

std::string memory_press::text() const {
  return std::to_string(answered_) + " requests answered, " + std::to_string(shed_) + " sent away, "
         + std::to_string(unanswered_) + " without answer; memory "
         + std::to_string(before_kib_ / 1024) + " MiB before, at most "
         + std::to_string(most_kib_ / 1024) + " MiB; "
         + (asked_for_more_ms_ < 0 ? "no further gateway was asked for"
                                   : "a further gateway was asked for after "
                                         + std::to_string(asked_for_more_ms_) + " ms");
}

} // namespace novacron::chaos
