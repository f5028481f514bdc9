#include "memory_press.hpp"

#include <algorithm>
#include <fstream>

namespace novacron::chaos {

using namespace std::chrono_literals;

namespace {

constexpr int clients = 48;
constexpr size_t body_bytes = 1'000'000; // a gateway takes 1 MiB
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
  before_kib_ = resident_kib(pid);
  threads_.emplace_back([this, pid] { watch(pid); });
  for (int number = 0; number < clients; ++number)
    threads_.emplace_back([this, number] { ask_for_much(number); });
}

memory_press::~memory_press() {
  end();
}

void memory_press::end() {
  over_ = true;
  for (auto& each : threads_)
    each.join();
  threads_.clear();
}

void memory_press::watch(int pid) {
  while (!over_) {
    most_kib_ = std::max<uint64_t>(most_kib_, resident_kib(pid));
    std::this_thread::sleep_for(50ms);
  }
}

void memory_press::ask_for_much(int number) {
  client_request call;
  call.limit = 5s;
  if (number % 2 == 0) {
    call.method = "POST";
    call.path = "/api/v1/vms";
    call.body = R"({"name":"pressed","vcpus":1,"memory_mib":16,"image":"tick","nothing":")"
                + std::string(body_bytes, 'x') + "\"}"; // refused, once it was read
  } else {
    call.path = "/api/v1/operations?limit=1000";
  }
  while (!over_) {
    const auto reply = lab_.ask(node_, call);
    ++(!reply                                                      ? unanswered_
       : reply->status == unavailable || reply->status == too_many ? shed_
                                                                   : answered_);
  }
}

std::string memory_press::text() const {
  return std::to_string(answered_) + " requests answered, " + std::to_string(shed_) + " sent away, "
         + std::to_string(unanswered_) + " without answer; memory "
         + std::to_string(before_kib_ / 1024) + " MiB before, at most "
         + std::to_string(most_kib_ / 1024) + " MiB";
}

} // namespace novacron::chaos
