// What users do that the seed's mix leaves out.

#include "runtime/cli/render.hpp"
#include "users.hpp"

#include <array>

namespace novacron::chaos {

using namespace std::chrono_literals;

namespace {

constexpr auto answer_limit = 4s;

bool is_final(const result<client_reply>& reply) {
  return reply && reply->status < 500;
}

} // namespace

void users::one_thing_beside(user& self) {
  const int dice = below(self.random, 100);
  if (self.own.empty() || (self.own.size() < most_of(self.does) && dice < 30))
    return create(self);
  if (dice >= 75)
    return dice < 90 ? read(self) : follow_events(self);
  if (dice >= (self.real() ? 74 : 65) && self.own.size() > 1)
    return remove(self);
  verb_beside(self);
}

void users::verb_beside(user& self) {
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
  verb(self, self.own[static_cast<size_t>(below(self.random, static_cast<int>(self.own.size())))],
       chosen.verb, chosen.requested);
}

void users::read(user& self) {
  const auto& id = self.own.front().id;
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
    self.gateway = lab::next_gateway(self.gateway);
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
