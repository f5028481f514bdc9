#include "node_process.hpp"

#include "mesh_actor.hpp"

#include <caf/all.hpp>
#include <utility>

namespace novacron::sim {

namespace {

constexpr auto tree_patience = std::chrono::seconds{3};
constexpr uint64_t restart_min_ms = 200; ///< systemd's
constexpr uint64_t restart_max_ms = 600;

/// Lines of the node's own log, in a schedule's story.
class story_sink final : public log_sink {
public:
  story_sink(fleet& with, uint64_t node) : with_{with}, node_{node} {
    // nop
  }

  void write(log_level level, std::string_view module, std::string_view message,
             std::span<const log_field> fields) override {
    if (message.starts_with("no guest may start"))
      with_.all.seen.hit(probe::permission_lost);
    if (level == log_level::debug)
      return;
    with_.guests.say([&] {
      auto text = "node " + std::to_string(node_) + " " + std::string{module} + ": "
                  + std::string{message};
      for (const auto& each : fields)
        text += " " + std::string{each.name} + "=" + each.value;
      return text;
    });
  }

private:
  fleet& with_;
  const uint64_t node_;
};

} // namespace

node_process::node_process(actor_world& all, uint64_t number, std::vector<node_role> roles,
                           const node_clock& clock)
    : all_{all}, number_{number}, roles_{std::move(roles)}, clock_{clock} {
  // nop
}

node_process::~node_process() {
  crash(true);
}

void node_process::start() {
  if (process_ || !may_start())
    return;
  auto& with = all_.with;
  process_ = all_.begin(number_, clock_);
  parts_ = std::make_shared<node_parts>();
  const auto id = fleet::node_of(number_);
  node_start start;
  start.log = log_of(number_);
  auto& config = start.config;
  config.id = id;
  config.roles = roles_;
  config.name = "node-" + std::to_string(number_);
  config.chaos = true;
  config.mesh.listen = actor_world::door_of(number_);
  config.mesh.controllers = listed();
  parts_->identity = all_.certificates.of(id, roles_);
  parts_->own_record.id = id;
  parts_->own_record.name = config.name;
  parts_->own_record.roles = roles_;
  parts_->own_threads = false;
  parts_->roster = roster_;
  parts_->chance = [&luck = with.all.luck] { return static_cast<double>(luck.below(1'000)) / 1e3; };
  parts_->ids = [&with] { return with.fresh(5); };
  auto& system = process_->system();
  mesh_ = system.spawn(mesh_actor, &all_.over, process_.get());
  parts_->ports.connector = caf::actor_cast<caf::io::middleman_actor>(mesh_);
  parts_->ports.lookup = mesh_;
  furnish(*parts_, config);
  root_ = spawn_node(system, start, *parts_);
  spared_ = {mesh_.id(), root_.id()};
  root_->attach_functor([this, life = process_->life()](const caf::error&) {
    if (!ending_)
      all_.soon([this, life] {
        if (process_ && process_->life() == life)
          give_up();
      });
  });
}

logger node_process::log_of(uint64_t node) const {
  return logger{std::make_shared<story_sink>(all_.with, node)};
}

void node_process::crash(bool dark) {
  if (!process_)
    return;
  ending_ = true;
  frozen_ = false;
  caf::anon_send_exit(root_, caf::exit_reason::kill);
  caf::anon_send_exit(mesh_, caf::exit_reason::kill);
  parts_->release();
  parts_->ports = {};
  root_ = nullptr;
  mesh_ = nullptr;
  const bool empty = all_.end(*process_, dark);
  ended();
  if (!empty) { // that ends the schedule; what those actors stand on must outlive them
    static_cast<void>(new auto{parts_});
    static_cast<void>(process_.release());
  }
  process_.reset();
  parts_.reset();
  ending_ = false;
}

void node_process::give_up() {
  if (!process_)
    return;
  crash();
  auto& all = all_.with.all;
  all.time.after(all.luck.between(restart_min_ms, restart_max_ms), [this] { start(); });
}

void node_process::freeze() {
  if (!process_ || frozen_)
    return;
  frozen_ = true;
  all_.freeze(*process_, true);
}

void node_process::thaw() {
  if (!process_ || !frozen_)
    return;
  frozen_ = false;
  all_.freeze(*process_, false);
}

void node_process::kill_some_actor() {
  if (!process_ || frozen_)
    return;
  auto& luck = all_.with.all.luck;
  if (luck.below(2) == 0 && process_->kill_some(luck, spared_))
    return;
  kill_in_the_tree();
}

/// As `novacron actors` and `novacron chaos kill` do it.
void node_process::kill_in_the_tree() {
  auto root = parts_->root.get();
  auto ask = [root, &luck = all_.with.all.luck,
              &seen = all_.with.all.seen](caf::event_based_actor* self) {
    self->request(root, tree_patience, actor_tree_request{})
        .then(
            [=, &luck, &seen](const actor_tree& tree) {
              if (tree.actors.empty())
                return;
              const auto& victim = tree.actors[luck.below(tree.actors.size())];
              if (victim.path.starts_with("guests/vm-"))
                seen.hit(probe::vm_actor_killed);
              if (victim.path.starts_with("guests/migration-"))
                seen.hit(probe::migration_actor_killed);
              self->request(root, tree_patience, kill_actor{{}, victim.path})
                  .then([](caf::ok_atom) {}, [](const caf::error&) {});
            },
            [](const caf::error&) { /* it is just being restarted */ });
  };
  process_->system().spawn(ask);
}

} // namespace novacron::sim
