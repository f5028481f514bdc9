#include "standing_vms.hpp"

#include "host_watch.hpp"
#include "runtime/cli/render.hpp"
#include "tests/becomes_true.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <utility>

namespace novacron::chaos {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

namespace {

constexpr int simulated = 4;
constexpr int followed = 2;
constexpr auto start_limit = 60s;
constexpr auto answer_limit = 10s;
constexpr auto look_every = 100ms;

client_reply insist(const lab& where, client_request call, const std::string& what) {
  call.method = "POST";
  call.idempotency_key = what;
  call.limit = answer_limit;
  std::string last = "no answer";
  int node = lab::gateways.front();
  client_reply answer;
  const auto answered = [&] {
    const auto reply = where.ask(std::exchange(node, lab::next_gateway(node)), call);
    if (reply && reply->ok()) {
      answer = *reply;
      return true;
    }
    last = reply ? std::to_string(reply->status) + ' ' + field_text(reply->body, "detail")
                 : reply.error().message;
    return false;
  };
  if (!becomes_true(start_limit, answered, look_every))
    throw std::runtime_error{what + ": " + last};
  return answer;
}

void create(const lab& where, ledger& book, run_census& census, int number) {
  const bool real = number > simulated;
  const auto name = "standing-" + std::to_string(number);
  client_request wish;
  wish.path = "/api/v1/vms";
  wish.body = boost::json::serialize(boost::json::object{
      {"name", name},
      {"vcpus", 1},
      {"memory_mib", real ? 128 : 16},
      {"image", real ? "real" : "tick"},
      {"kernel_arguments", real ? "console=ttyS0 quiet panic=-1 novacron.region=8 novacron.dirty=1"
                                : "novacron.region=2 novacron.dirty=1"},
      {"restart", "always"}});
  const auto id = field_text(insist(where, wish, name).body, "id");
  book.created(name, id, true);
  if (number <= followed)
    census.listen(id, where.consoles_of(id));
  client_request start;
  start.path = "/api/v1/vms/" + id + "/start";
  book.accepted(field_text(insist(where, start, name + "-start").body, "id"));
  book.requested(id, "running");
}

} // namespace

size_t standing_vms(bool real) {
  return simulated + (real ? 1 : 0);
}

void create_standing_vms(const lab& where, ledger& book, run_census& census) {
  for (int number = 1; number <= static_cast<int>(standing_vms(where.options().real)); ++number)
    create(where, book, census, number);
  size_t running = 0;
  const auto all_run = [&] {
    running = 0;
    for (const int node : lab::hosts)
      if (const auto seen = running_on(where, node))
        running += seen->size();
    return running == standing_vms(where.options().real);
  };
  if (!becomes_true(start_limit, all_run, look_every))
    throw std::runtime_error{"of the VMs that are to stand, only " + std::to_string(running)
                             + " run"};
}

} // namespace novacron::chaos
