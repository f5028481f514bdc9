#include "tests/integration/two_hosts.hpp"

#include "messages/address.hpp"
#include "tests/integration/control_actors.hpp"
#include "tests/integration/recent_lines.hpp"
#include "tests/unit/dwcp/test_authority.hpp"

#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <csignal>
#include <doctest/doctest.h>

namespace novacron::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;

struct system_config : caf::actor_system_config {
  system_config() {
    add_message_types<caf::id_block::novacron>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{4});
  }
};

using rewrite = std::function<migration_prepared(migration_prepared)>;

/// A link to the other host's door, without door and mesh.
link_actor::behavior_type link_to(link_actor::pointer self, migrating_host* to,
                                  frontend_actor frontend, rewrite answered) {
  auto nobody = [] { return caf::make_error(caf::sec::cannot_connect_to_node); };
  return {
      [=](const list_request&) -> caf::result<feed_listing> { return nobody(); },
      [=](const pull_request&) -> caf::result<feed_changes> { return nobody(); },
      [](const migration_progress&) {},
      [=](const proposal& what) { return self->delegate(frontend, what); },
      [=](const group_status_request&) -> caf::result<group_status> { return nobody(); },
      [=](const snapshot_chunk_request&) -> caf::result<snapshot_chunk> { return nobody(); },
      [](const replica_message_taken&) {},
      [=](const prepare_migration& what) -> caf::result<migration_prepared> {
        auto host = to->host();
        if (!host)
          return nobody();
        auto promise = self->make_response_promise<migration_prepared>();
        self->request(host, 90s, what)
            .then([=](const migration_prepared& x) mutable { promise.deliver(answered(x)); },
                  [=](const caf::error& why) mutable { promise.deliver(why); });
        return promise;
      },
      [=](const migration_performed& what) -> caf::result<caf::ok_atom> {
        auto host = to->host();
        if (!host)
          return nobody();
        return self->delegate(host, what);
      },
      [=](const kill_actor&) -> caf::result<caf::ok_atom> { return nobody(); },
      [=](const actor_tree_request&) -> caf::result<actor_tree> { return nobody(); },
      [](caf::tick_atom) {},
  };
}

template <class Condition>
bool in_time(Condition holds) {
  return becomes_true(patience, holds);
}

} // namespace

struct two_hosts_parts {
  testing::temporary_folder folder;
  testing::test_authority authority;
  std::shared_ptr<recent_lines> lines = std::make_shared<recent_lines>();
  system_config config;
  caf::actor_system system{config};
  std::unique_ptr<control_plane> control;
  std::unique_ptr<migrating_host> first;
  std::unique_ptr<migrating_host> second;
  std::unique_ptr<console_watch> console;
  vm_id vm{random_uuid()};

  std::mutex mutex;
  link_faults faults;
  std::shared_ptr<page_link> link;
  std::vector<caf::actor> links; ///< ended with us: an open request would keep one for its timeout
  std::function<void()> before_commit;
};

two_hosts::two_hosts(const std::string& workload, uint64_t kept_bytes)
    : parts_{std::make_unique<two_hosts_parts>()} {
  std::signal(SIGPIPE, SIG_IGN); // libvirt writes to connections that have ended
  auto& x = *parts_;
  x.control = std::make_unique<control_plane>(x.system, x.folder / "log");
  auto make = [&](const char* name) {
    return std::make_unique<migrating_host>(
        name, agent_setup{x.system, x.control->actors(), logger{x.lines},
                          [&x](node_id id) { return x.authority.issue(id); },
                          [this](const std::string& to) { return connect(to); },
                          [this](const proposal& what) { before_proposal(what); }, kept_bytes});
  };
  x.first = make("first");
  x.second = make("second");
  x.console = std::make_unique<console_watch>(
      std::vector{x.first->console_log(x.vm), x.second->console_log(x.vm)});
  REQUIRE(in_time([&] { return x.control->all<host_record>().size() == 2; }));
  create_vm wish;
  wish.vm = x.vm;
  wish.name = "ticker";
  wish.host = x.first->id();
  wish.operation = operation_id{random_uuid()};
  wish.spec.image = "lab";
  wish.spec.restart = restart_policy::on_failure;
  wish.spec.memory_mib = 256;
  wish.spec.kernel_arguments = "console=ttyS0 quiet " + workload;
  auto made = x.control->propose(wish);
  REQUIRE_MESSAGE(made.ok(), made.detail);
  start_guest();
  REQUIRE(x.console->wait_for_ticks(5, patience));
}

two_hosts::~two_hosts() {
  auto& x = *parts_;
  x.first.reset();
  x.second.reset();
  x.control.reset();
  for (const auto& each : x.links)
    caf::anon_send_exit(each, caf::exit_reason::kill);
}

migrating_host& two_hosts::here() {
  return vm().host == parts_->first->id() ? *parts_->first : *parts_->second;
}

migrating_host& two_hosts::there() {
  return vm().host == parts_->first->id() ? *parts_->second : *parts_->first;
}

vm_record two_hosts::vm() {
  auto record = control().find<vm_record>(parts_->vm);
  REQUIRE(record.has_value());
  return *record;
}

vm_id two_hosts::guest() const {
  return parts_->vm;
}

control_plane& two_hosts::control() {
  return *parts_->control;
}

console_watch& two_hosts::console() {
  return *parts_->console;
}

std::string two_hosts::log_lines() const {
  return parts_->lines->text();
}

void two_hosts::start_guest() {
  request_state wish;
  wish.vm = parts_->vm;
  wish.requested = requested_state::running;
  wish.operation = operation_id{random_uuid()};
  auto asked = control().propose(wish);
  REQUIRE_MESSAGE(asked.ok(), asked.detail);
  auto runs = in_time([&] { return vm().actual == actual_state::running; });
  auto reason = vm().reason; // not in the message: doctest's lock is held there
  REQUIRE_MESSAGE(runs, reason, "\n", log_lines());
}

// -- migrations --------------------------------------------------------------------

migration_record two_hosts::migrate(const migration_terms& terms) {
  reserve_migration wish;
  wish.migration = migration_id{random_uuid()};
  wish.vm = parts_->vm;
  wish.to = there().id();
  wish.operation = operation_id{random_uuid()};
  wish.terms = terms;
  auto reserved = control().propose(wish);
  REQUIRE_MESSAGE(reserved.ok(), reserved.detail);
  auto record = find(wish.migration);
  REQUIRE(record.has_value());
  return *record;
}

std::optional<migration_record> two_hosts::end_of(const migration_record& migration,
                                                  std::chrono::seconds limit) {
  std::optional<migration_record> last;
  becomes_true(limit, [&] {
    last = find(migration.id);
    return last && last->over();
  });
  return last && last->over() ? last : std::nullopt;
}

void two_hosts::set_link(link_faults faults) {
  std::lock_guard lock{parts_->mutex};
  parts_->faults = faults;
  parts_->link.reset();
}

std::shared_ptr<page_link> two_hosts::link() {
  std::lock_guard lock{parts_->mutex};
  return parts_->link;
}

void two_hosts::before_commit(std::function<void()> what) {
  std::lock_guard lock{parts_->mutex};
  parts_->before_commit = std::move(what);
}

void two_hosts::kill_controller() {
  control().kill();
}

void two_hosts::start_controller() {
  control().start();
  for (auto* host : {parts_->first.get(), parts_->second.get()})
    host->find_control();
}

void two_hosts::mend() {
  before_commit({});
  set_link({});
  for (auto* host : {parts_->first.get(), parts_->second.get()}) {
    host->plan().clear();
    host->start_agent();
  }
}

link_actor two_hosts::connect(const std::string& mesh_address) {
  for (auto* host : {parts_->first.get(), parts_->second.get()})
    if (host && host->name() == mesh_address) {
      auto made
          = parts_->system.spawn(link_to, host, parts_->control->actors().frontend,
                                 rewrite{[this](migration_prepared x) { return by_link(x); }});
      std::lock_guard lock{parts_->mutex};
      parts_->links.push_back(caf::actor_cast<caf::actor>(made));
      return made;
    }
  return {};
}

migration_prepared two_hosts::by_link(migration_prepared answer) {
  std::lock_guard lock{parts_->mutex};
  auto door = parse_address(answer.page_address);
  if (!door)
    return answer;
  parts_->link = std::make_shared<page_link>(door->port, parts_->faults);
  answer.page_address = to_string(address{"127.0.0.1", parts_->link->port()});
  return answer;
}

void two_hosts::before_proposal(const proposal& what) {
  for (const auto& each : what.commands) {
    auto* decision = std::get_if<decide_migration>(&each.body);
    if (!decision || decision->decision != migration_decision::commit)
      continue;
    std::unique_lock lock{parts_->mutex};
    auto hook = std::exchange(parts_->before_commit, {});
    lock.unlock();
    if (hook)
      hook();
  }
}

// -- checks ------------------------------------------------------------------------

bool two_hosts::holds(bool condition, const std::string& what) {
  CHECK_MESSAGE(condition, what);
  sound_ = sound_ && condition;
  return condition;
}

bool two_hosts::nothing_left(size_t guests) {
  std::string left;
  auto clean = in_time([&] {
    left.clear();
    for (auto* host : {parts_->first.get(), parts_->second.get()})
      for (const auto& each : host->leftovers())
        left += each + ' ';
    return left.empty();
  });
  holds(clean, "left behind: " + left);
  auto running
      = parts_->first->processes(parts_->vm).size() + parts_->second->processes(parts_->vm).size();
  holds(running == guests, "QEMUs of the guest: " + std::to_string(running));
  auto domains
      = parts_->first->machine().guests_listed() + parts_->second->machine().guests_listed();
  holds(domains == static_cast<int>(guests), "domains: " + std::to_string(domains));
  for (const auto& each : control().all<operation_record>())
    holds(each.state != operation_state::running, "operation " + to_string(each.verb) + " runs on");
  return sound_;
}

bool two_hosts::rests() {
  return in_time([&] {
    auto record = vm();
    auto open = control().all<migration_record>();
    return record.migration.nil() && record.actual == actual_state::running
           && std::all_of(open.begin(), open.end(), [](const auto& x) { return x.over(); });
  });
}

void two_hosts::check_end(const migration_record& migration, migration_phase how,
                          migrating_host& where, std::chrono::seconds limit) {
  const auto end = end_of(migration, limit);
  if (!end)
    unsound();
  REQUIRE_MESSAGE(end.has_value(), log_lines());
  CHECK_MESSAGE(end->phase == how, end->reason, "\n", log_lines());
  CHECK(end->reason.empty() == (how == migration_phase::done));
  mend();
  CHECK_MESSAGE(settles_at(where), log_lines());
}

bool two_hosts::settles_at(migrating_host& where) {
  auto decided = rests();
  auto record = vm();
  if (!holds(decided, "the log: " + to_string(record.actual) + ' ' + record.reason
                          + (record.migration.nil() ? "" : ", migrating")))
    return false;
  if (!holds(record.host == where.id(), "the log has it on the other host, not on " + where.name()))
    return false;
  auto& other = &where == parts_->first.get() ? *parts_->second : *parts_->first;
  auto guests = where.guests();
  if (!holds(guests.size() == 1, "guests by libvirt: " + std::to_string(guests.size())))
    return false;
  holds(guests[0].phase == guest_phase::running, "it is " + to_string(guests[0].phase));
  holds(guests[0].epoch == record.epoch,
        "its epoch is " + to_string(guests[0].epoch) + ", the log's " + to_string(record.epoch));
  holds(other.guests().empty(), "something of it is on the other host, too");
  holds(where.processes(parts_->vm).size() == 1, "its QEMU doesn't run where it should");
  nothing_left(1);
  holds(console().wait_for_ticks(5, 30s), "it doesn't tick");
  auto sweeps = console().summary().sweep + 2;
  holds(console().wait_until([=](const tick_summary& x) { return x.sweep >= sweeps; }, patience),
        "it doesn't verify its memory any more");
  auto ticks = console().summary();
  holds(ticks.memory_ok, "its memory is damaged");
  holds(ticks.repeated == 0, "ticks came twice: " + std::to_string(ticks.repeated));
  holds(ticks.missing == 0, "ticks are missing: " + std::to_string(ticks.missing));
  return sound_;
}

// -- shared by the cases of a file -----------------------------------------------------

namespace {

std::unique_ptr<two_hosts>& shared() {
  static std::unique_ptr<two_hosts> hosts;
  return hosts;
}

} // namespace

two_hosts& shared_hosts() {
  if (shared() && !shared()->sound())
    shared().reset();
  if (!shared())
    shared() = std::make_unique<two_hosts>();
  return *shared();
}

void end_shared_hosts() {
  shared().reset();
}

} // namespace novacron::test
