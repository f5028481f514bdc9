#include "injection.hpp"
#include "runtime/cli/render.hpp"

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace novacron::chaos {

namespace {

constexpr std::chrono::seconds answer_limit{3};
constexpr std::string_view of_a_vm = "guests/vm-";
constexpr std::string_view of_a_migration = "guests/migration-";
/// The kinds; those that many of live come more often.
constexpr std::array<std::string_view, 20> kinds{"services/replica",
                                                 of_a_vm,
                                                 "services/feed",
                                                 "services/frontend",
                                                 of_a_vm,
                                                 "host",
                                                 of_a_migration,
                                                 "services/scheduler",
                                                 "services/view",
                                                 of_a_vm,
                                                 "services/gateway",
                                                 "services/peers",
                                                 "services/door",
                                                 "services/controllers",
                                                 "services/recovery",
                                                 "services/drain",
                                                 "services/roster",
                                                 of_a_migration,
                                                 "guests",
                                                 "services"};

template <class T>
const T& one_of(const std::vector<T>& all, std::mt19937_64& random) {
  return all[std::uniform_int_distribution<size_t>{0, all.size() - 1}(random)];
}

/// Of a migration that runs: node and id; empty: there is none.
std::pair<std::string, std::string> a_migration(int asked, const fault_scene& scene) {
  client_request call;
  call.path = "/api/v1/migrations?limit=1000";
  call.limit = answer_limit;
  const auto reply = scene.where.ask(asked, call);
  const auto* items = reply && reply->ok() ? field(reply->body, "items").if_array() : nullptr;
  for (size_t i = 0; items && i < items->size(); ++i) {
    const auto& each = (*items)[i];
    const auto phase = field_text(each, "phase");
    if (phase != "done" && phase != "rolled_back")
      return {field_text(each, scene.random() % 2 == 0 ? "from" : "to"), field_text(each, "id")};
  }
  return {};
}

} // namespace

bool kill_one_actor(size_t turn, const fault_scene& scene, std::string& what) {
  const auto kind = kinds.at(turn % kinds.size());
  const int asked = std::uniform_int_distribution<int>{1, lab::nodes}(scene.random);
  auto node = lab::name(std::uniform_int_distribution<int>{1, lab::nodes}(scene.random));
  std::string path{kind};
  what = path;
  if (kind == of_a_vm) {
    const auto all = scene.people.vms();
    if (all.empty())
      return false;
    const auto& vm = one_of(all, scene.random);
    node = vm.host;
    path += vm.id;
  } else if (kind == of_a_migration) {
    const auto [where, id] = a_migration(asked, scene);
    if (id.empty())
      return false;
    node = where;
    path += id;
  }
  client_request call;
  call.method = "POST";
  call.path = "/api/v1/chaos/kill";
  call.limit = answer_limit;
  call.body = boost::json::serialize(boost::json::object{{"node", node}, {"actor", path}});
  const auto reply = scene.where.ask(asked, call);
  return reply && reply->ok();
}

} // namespace novacron::chaos
