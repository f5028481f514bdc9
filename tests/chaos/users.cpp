#include "users.hpp"

#include "runtime/cli/render.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace novacron::chaos {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

namespace {

constexpr size_t most_own = 5;
constexpr size_t most_real = 2;
constexpr int followed_consoles = 1; ///< of each user's VMs
constexpr auto answer_limit = 4s;
constexpr auto wait_for_operation = "?wait=2s";
constexpr auto ask_again = 50ms;
constexpr auto between_things = 30ms;
constexpr auto between_things_beside = 150ms;
constexpr auto between_real_things = 2s;
constexpr int repeat_each = 10;
const std::array<const char*, 3> policies{"on_failure", "always", "never"};

bool is_final(const result<client_reply>& reply) {
  return reply && reply->status < 500;
}

} // namespace

users::users(const lab& where, ledger& book, run_census& census, int count, bool real,
             uint64_t seed)
    : lab_{where}, ledger_{book}, census_{census} {
  for (int number = 1; number <= count + (real ? 2 : 1); ++number) {
    user self;
    self.number = number;
    self.does = number <= count       ? habit::mix
                : number == count + 1 ? habit::beside
                                      : habit::beside_real;
    most_vms_ += most_of(self.does);
    self.random.seed(seed * 1'000 + static_cast<uint64_t>(number));
    self.gateway = lab::gateways[static_cast<size_t>(number) % lab::gateways.size()];
    threads_.emplace_back([this, self] { live(self); });
  }
}

size_t users::most_of(habit does) {
  return does == habit::beside_real ? most_real : most_own;
}

int users::below(std::mt19937_64& random, int limit) {
  return std::uniform_int_distribution<int>{0, limit - 1}(random);
}

users::own_vm* users::user::any(bool runs) {
  std::vector<own_vm*> fitting;
  for (auto& each : own)
    if (each.runs == runs)
      fitting.push_back(&each);
  if (fitting.empty())
    for (auto& each : own)
      fitting.push_back(&each);
  return fitting.empty()
             ? nullptr
             : fitting[static_cast<size_t>(below(random, static_cast<int>(fitting.size())))];
}

request_mix users::mix() const {
  std::lock_guard lock{mutex_};
  return mix_;
}

users::~users() {
  stop();
}

void users::stop() {
  {
    std::lock_guard lock{mutex_};
    over_ = true;
  }
  changed_.notify_all();
  for (auto& each : threads_)
    each.join();
  threads_.clear();
}

bool users::pause(std::chrono::milliseconds limit) {
  std::unique_lock lock{mutex_};
  paused_ = true;
  return changed_.wait_for(lock, limit, [this] { return busy_ == 0; });
}

void users::resume() {
  std::lock_guard lock{mutex_};
  paused_ = false;
  changed_.notify_all();
}

std::vector<users_vm> users::vms() const {
  std::lock_guard lock{mutex_};
  std::vector<users_vm> all;
  for (const auto& [id, host] : places_)
    all.push_back({id, host});
  return all;
}

void users::note_place(const std::string& id, const std::string& host) {
  std::lock_guard lock{mutex_};
  if (host.empty())
    places_.erase(id);
  else
    places_[id] = host;
}

bool users::wait_turn(const user& self) {
  std::unique_lock lock{mutex_};
  const auto rest = self.does == habit::mix ? between_things
                    : self.real()           ? std::chrono::milliseconds{between_real_things}
                                            : between_things_beside;
  changed_.wait_for(lock, rest, [this] { return over_; });
  changed_.wait(lock, [this] { return over_ || !paused_; });
  if (over_)
    return false;
  ++busy_;
  return true;
}

void users::live(user self) {
  while (wait_turn(self)) {
    if (self.does == habit::mix)
      one_of_the_mix(self);
    else
      one_thing_beside(self);
    std::lock_guard lock{mutex_};
    mix_.beside += self.does == habit::mix ? 0 : 1;
    --busy_;
    changed_.notify_all();
  }
}

void users::one_of_the_mix(user& self) {
  const auto kind = self.deck.next(self.random, [&](request_kind x) {
    switch (x) {
    case request_kind::list:
    case request_kind::create:
      return true;
    case request_kind::remove:
      return self.own.size() > 1;
    default:
      return !self.own.empty();
    }
  });
  bool again = false;
  switch (kind) {
  case request_kind::list:
    list(self);
    break;
  case request_kind::create:
    again = self.own.size() >= most_of(self.does);
    if (again)
      create_again(self);
    else
      create(self);
    break;
  case request_kind::start:
    verb(self, *self.any(false), "start", "running");
    break;
  case request_kind::stop:
    verb(self, *self.any(true), "stop", "stopped");
    break;
  case request_kind::remove:
    remove(self);
    break;
  case request_kind::migrate:
    verb(self, *self.any(true), "migrate", "");
    break;
  }
  std::lock_guard lock{mutex_};
  ++mix_.by_kind.at(static_cast<size_t>(kind));
  mix_.repeated_creates += again ? 1 : 0;
}

void users::list(user& self) {
  write what;
  what.method = "GET";
  what.path = "/api/v1/vms?limit=50";
  const auto reply = attempt(self, what, {}, answer_limit);
  if (!is_final(reply)) {
    self.gateway = lab::next_gateway(self.gateway);
    return;
  }
  const auto* items = field(reply->body, "items").if_array();
  if (!reply->ok() || !items)
    return ledger_.broken("a list was answered with " + std::to_string(reply->status) + ' '
                          + field_text(reply->body, "detail"));
  for (const auto& vm : *items)
    for (const auto& mine : self.own)
      if (field_text(vm, "id") == mine.id)
        note_place(mine.id, field_text(vm, "host"));
}

// -- writes ----------------------------------------------------------------------

void users::create(user& self) {
  const bool real = self.real();
  const auto name = (real ? "real-" : "user-") + std::to_string(self.number) + '-'
                    + std::to_string(++self.created);
  const std::string policy
      = policies.at(static_cast<size_t>(self.created + self.number) % policies.size());
  write what;
  what.path = "/api/v1/vms";
  what.what = "the create of " + name;
  what.body = boost::json::serialize(boost::json::object{
      {"name", name},
      {"vcpus", 1},
      {"memory_mib", real ? 128 : 16},
      {"image", real ? "real" : "tick"},
      {"kernel_arguments", real ? "console=ttyS0 quiet panic=-1 novacron.region=24 novacron.dirty=1"
                                : "novacron.region=2 novacron.dirty=1"},
      {"restart", policy}});
  bool open = false;
  auto key = next_key(self);
  const auto made = insist(self, what, key, open);
  if (made.status == 201) {
    const auto id = field_text(made.body, "id");
    ledger_.created(name, id, policy != "never");
    note_place(id, field_text(made.body, "host"));
    self.own.push_back({id, false, std::move(what), std::move(key)});
    if (self.created <= followed_consoles)
      census_.listen(id, lab_.consoles_of(id));
  } else if (field_text(made.body, "type").ends_with(":name_taken")) {
    // Nobody else gives such names: an earlier attempt did it, and its key was forgotten.
    ledger_.broken(what.what + " was carried out, and its repetition refused: "
                   + field_text(made.body, "detail"));
  }
}

void users::create_again(user& self) {
  const auto& of
      = self.own[static_cast<size_t>(below(self.random, static_cast<int>(self.own.size())))];
  bool open = false;
  const auto reply = insist(self, of.create, of.key, open);
  if (reply.status != 201 || field_text(reply.body, "id") != of.id)
    ledger_.broken(of.create.what + " made vm " + of.id + ", and with the same key much later got "
                   + std::to_string(reply.status) + ' ' + boost::json::serialize(reply.body));
}

void users::verb(user& self, own_vm& of, const std::string& verb, const std::string& requested) {
  write what;
  what.path = "/api/v1/vms/" + of.id + '/' + verb;
  if (below(self.random, 2) == 0)
    what.path += wait_for_operation;
  what.what = verb + " of " + of.id;
  bool open = false;
  const auto begun = insist(self, what, next_key(self), open);
  if (begun.ok()) {
    ledger_.requested(of.id, requested);
    if (!requested.empty())
      of.runs = requested == "running";
    if (const auto operation = field_text(begun.body, "id"); !operation.empty())
      ledger_.accepted(operation);
  } else if (open && !requested.empty()) {
    ledger_.perhaps(of.id, requested);
  }
}

/// Never the first: somebody listens to it.
void users::remove(user& self) {
  const auto at = self.own.begin() + 1 + below(self.random, static_cast<int>(self.own.size()) - 1);
  const auto id = at->id;
  write what;
  what.method = "DELETE";
  what.path = "/api/v1/vms/" + id;
  what.what = "the delete of " + id;
  bool open = false;
  const auto begun = insist(self, what, next_key(self), open);
  if (begun.ok()) {
    ledger_.requested(id, "deleted");
    ledger_.accepted(field_text(begun.body, "id"));
    self.own.erase(at);
    note_place(id, {});
  } else if (open) {
    ledger_.perhaps(id, "deleted");
  }
}

std::string users::next_key(user& self) {
  return "user-" + std::to_string(self.number) + "-write-" + std::to_string(++self.written);
}

client_reply users::insist(user& self, const write& what, const std::string& key, bool& open) {
  for (;;) {
    auto reply = attempt(self, what, key, answer_limit);
    if (is_final(reply)) {
      if (reply->ok() && below(self.random, repeat_each) == 0)
        repeat(self, what, key, *reply);
      return *reply;
    }
    // "not_leader" says that nothing was done; of all else one can't know.
    open = open || !reply || !field_text(reply->body, "type").ends_with(":not_leader");
    self.gateway = lab::next_gateway(self.gateway);
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, ask_again, [this] { return over_; });
  }
}

void users::repeat(user& self, const write& what, const std::string& key,
                   const client_reply& first) {
  self.gateway = lab::next_gateway(self.gateway);
  const auto again = attempt(self, what, key, answer_limit);
  if (!is_final(again))
    return;
  if (!again->ok() || field_text(again->body, "id") != field_text(first.body, "id"))
    ledger_.broken(what.what + " was answered with " + std::to_string(first.status) + ' '
                   + field_text(first.body, "id") + ", and with the same key once more with "
                   + std::to_string(again->status) + ' ' + boost::json::serialize(again->body));
}

result<client_reply> users::attempt(user& self, const write& what, const std::string& key,
                                    std::chrono::milliseconds limit) {
  client_request call;
  call.method = what.method;
  call.path = what.path;
  call.body = what.body;
  call.idempotency_key = key;
  call.limit = limit;
  const auto sent = clock::now();
  auto reply = lab_.ask(self.gateway, call);
  const auto how = !is_final(reply) ? request_end::lost
                   : !reply->ok()   ? request_end::refused
                   : key.empty()    ? request_end::read
                                    : request_end::acknowledged;
  ledger_.ended(sent, how);
  return reply;
}

} // namespace novacron::chaos
