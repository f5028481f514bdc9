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

constexpr size_t most_vms = 5;
constexpr size_t most_real_vms = 2;
constexpr int followed_consoles = 1; ///< of each user's VMs
constexpr auto answer_limit = 4s;
constexpr auto wait_for_operation = "?wait=2s";
constexpr auto ask_again = 50ms;
constexpr auto between_things = 30ms;
constexpr auto between_real_things = 2s;
constexpr int repeat_each = 10;
const std::array<const char*, 3> policies{"on_failure", "always", "never"};

int below(std::mt19937_64& random, int limit) {
  return std::uniform_int_distribution<int>{0, limit - 1}(random);
}

bool is_final(const result<client_reply>& reply) {
  return reply && reply->status < 500;
}

} // namespace

users::users(const lab& where, ledger& book, run_census& census, int count, bool real,
             uint64_t seed)
    : lab_{where}, ledger_{book}, census_{census} {
  for (int number = 1; number <= count + (real ? 1 : 0); ++number) {
    user self;
    self.number = number;
    self.real = number > count;
    self.random.seed(seed * 1'000 + static_cast<uint64_t>(number));
    self.gateway = 1 + number % lab::nodes;
    threads_.emplace_back([this, self] { live(self); });
  }
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
  changed_.wait_for(lock, self.real ? between_real_things : between_things,
                    [this] { return over_; });
  changed_.wait(lock, [this] { return over_ || !paused_; });
  if (over_)
    return false;
  ++busy_;
  return true;
}

void users::live(user self) {
  while (wait_turn(self)) {
    one_thing(self);
    std::lock_guard lock{mutex_};
    --busy_;
    changed_.notify_all();
  }
}

void users::one_thing(user& self) {
  const auto most = self.real ? most_real_vms : most_vms;
  const int dice = below(self.random, 100);
  if (self.own.empty() || (self.own.size() < most && dice < 30))
    return create(self);
  const auto id
      = self.own[static_cast<size_t>(below(self.random, static_cast<int>(self.own.size())))];
  if (dice >= 75)
    return dice < 90 ? read(self) : follow_events(self);
  if (dice >= (self.real ? 74 : 65) && self.own.size() > 1 && id != self.own.front())
    return remove(self, id); // the first stays: somebody listens to it
  verb(self, id);
}

// -- writes ----------------------------------------------------------------------

void users::create(user& self) {
  const auto name = (self.real ? "real-" : "user-") + std::to_string(self.number) + '-'
                    + std::to_string(++self.created);
  write what;
  what.path = "/api/v1/vms";
  what.what = "the create of " + name;
  what.body = boost::json::serialize(boost::json::object{
      {"name", name},
      {"vcpus", 1},
      {"memory_mib", self.real ? 128 : 16},
      {"image", self.real ? "real" : "tick"},
      {"kernel_arguments", self.real
                               ? "console=ttyS0 quiet panic=-1 novacron.region=24 novacron.dirty=1"
                               : "novacron.region=2 novacron.dirty=1"},
      {"restart", policies.at(static_cast<size_t>(self.created + self.number) % policies.size())}});
  bool open = false;
  const auto made = insist(self, what, open);
  if (made.status == 201) {
    const auto id = field_text(made.body, "id");
    ledger_.created(name, id);
    note_place(id, field_text(made.body, "host"));
    self.own.push_back(id);
    if (self.created <= followed_consoles)
      census_.listen(id, lab_.consoles_of(id));
  } else if (field_text(made.body, "type").ends_with(":name_taken")) {
    // Nobody else gives such names: an earlier attempt did it, and its key was forgotten.
    ledger_.broken(what.what + " was carried out, and its repetition refused: "
                   + field_text(made.body, "detail"));
  }
}

void users::verb(user& self, const std::string& id) {
  struct choice {
    const char* verb;
    const char* requested;
  };
  static constexpr std::array<choice, 8> choices{{{"start", "running"},
                                                  {"start", "running"},
                                                  {"stop", "stopped"},
                                                  {"pause", "paused"},
                                                  {"resume", "running"},
                                                  {"resume", "running"},
                                                  {"migrate", ""},
                                                  {"migrate", ""}}};
  const auto& chosen = choices.at(static_cast<size_t>(below(self.random, choices.size())));
  write what;
  what.path = "/api/v1/vms/" + id + '/' + chosen.verb;
  if (below(self.random, 2) == 0)
    what.path += wait_for_operation;
  what.what = std::string{chosen.verb} + " of " + id;
  bool open = false;
  const auto begun = insist(self, what, open);
  if (begun.ok()) {
    ledger_.requested(id, chosen.requested);
    if (const auto operation = field_text(begun.body, "id"); !operation.empty())
      ledger_.accepted(operation);
  } else if (open && *chosen.requested != '\0') {
    ledger_.perhaps(id, chosen.requested);
  }
}

void users::remove(user& self, const std::string& id) {
  write what;
  what.method = "DELETE";
  what.path = "/api/v1/vms/" + id;
  what.what = "the delete of " + id;
  bool open = false;
  const auto begun = insist(self, what, open);
  if (begun.ok()) {
    ledger_.requested(id, "deleted");
    ledger_.accepted(field_text(begun.body, "id"));
  } else {
    ledger_.perhaps(id, "deleted");
  }
  std::erase(self.own, id);
  note_place(id, {});
}

client_reply users::insist(user& self, const write& what, bool& open) {
  const auto key
      = "user-" + std::to_string(self.number) + "-write-" + std::to_string(++self.written);
  for (;;) {
    auto reply = attempt(self, what, key, answer_limit);
    if (is_final(reply)) {
      if (reply->ok() && below(self.random, repeat_each) == 0)
        repeat(self, what, key, *reply);
      return *reply;
    }
    // "not_leader" says that nothing was done; of all else one can't know.
    open = open || !reply || !field_text(reply->body, "type").ends_with(":not_leader");
    self.gateway = 1 + self.gateway % lab::nodes;
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, ask_again, [this] { return over_; });
  }
}

void users::repeat(user& self, const write& what, const std::string& key,
                   const client_reply& first) {
  self.gateway = 1 + self.gateway % lab::nodes;
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

// -- reads -----------------------------------------------------------------------

void users::read(user& self) {
  const auto& id = self.own.front();
  const std::array<std::string, 4> paths{"/api/v1/vms?limit=50", "/api/v1/vms/" + id,
                                         "/api/v1/vms/" + id + "?consistency=linearizable",
                                         "/api/v1/migrations?limit=20"};
  write what;
  what.method = "GET";
  what.path = paths.at(static_cast<size_t>(below(self.random, paths.size())));
  const auto reply = attempt(self, what, {}, answer_limit);
  if (reply && reply->ok() && field_text(reply->body, "id") == id)
    note_place(id, field_text(reply->body, "host"));
  else if (!is_final(reply))
    self.gateway = 1 + self.gateway % lab::nodes;
  else if (reply->status == 404 && what.path.ends_with("linearizable"))
    ledger_.broken("a linearizable read doesn't know vm " + id + ", whose create is acknowledged");
}

void users::follow_events(user& self) {
  write what;
  what.method = "GET";
  what.path = "/api/v1/events?limit=200&since=" + std::to_string(self.events_since);
  const auto reply = attempt(self, what, {}, answer_limit);
  if (!reply || !reply->ok()) { // too old, or not now: from the present on
    self.events_since = 0;
    return;
  }
  double last = static_cast<double>(self.events_since);
  if (const auto* items = field(reply->body, "items").if_array())
    for (const auto& event : *items) {
      const auto revision = field_number(event, "revision");
      if (revision < last)
        ledger_.broken("an event of revision " + field_text(event, "revision")
                       + " came after one of " + std::to_string(last));
      last = revision;
    }
  self.events_since = static_cast<uint64_t>(field_number(reply->body, "next"));
}

} // namespace novacron::chaos
