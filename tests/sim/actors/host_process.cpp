#include "host_process.hpp"

#include "actors/migration/guest_steps.hpp"
#include "hypervisor/errors.hpp"

#include <algorithm>
#include <utility>

namespace novacron::sim {

namespace {

constexpr uuid fencer_key{1, 0}; ///< of what waits for the fencer, not the hypervisor
constexpr uint64_t look_again_ms = 20;

/// On the machine's disk.
class finish_mark_model final : public finish_mark {
public:
  finish_mark_model(machine& box, probes& seen, migration_id migration)
      : box_{box}, seen_{seen}, migration_{migration} {
    // nop
  }
  [[nodiscard]] bool stands() const override {
    const bool is = box_.finish_marks.contains(migration_);
    if (is)
      seen_.hit(probe::finish_mark_found);
    return is;
  }
  bool set() override {
    box_.finish_marks.insert(migration_);
    return true;
  }
  void remove() override { box_.finish_marks.erase(migration_); }

private:
  machine& box_;
  probes& seen_;
  const migration_id migration_;
};

class door_model final : public page_door {
public:
  door_model(page_plane& pages, any_host& at) : pages_{pages}, at_{at} {
    // nop
  }
  [[nodiscard]] uint16_t port() const override { return 1; }
  result<std::unique_ptr<page_receiver>> expect(const session_ticket& ticket,
                                                const receive_options&, session_end end) override {
    return pages_.expect(at_, ticket, std::move(end));
  }

private:
  page_plane& pages_;
  any_host& at_;
};

} // namespace

/// The agent's process.
class host_process::agent final : public node_process {
public:
  agent(actor_world& all, host_process& host)
      : node_process{all, host.number(), {node_role::host}, host.box.clock}, host_{host} {
    // nop
  }
  ~agent() override { crash(true); }

private:
  bool may_start() override;
  void furnish(node_parts& parts, node_config& config) override;
  void furnish_fencer(host_context& context);
  void ended() override { host_.ended(); }

  host_process& host_;
};

bool host_process::agent::may_start() {
  if (!host_.box.powered())
    return false;
  ++host_.life_;
  host_.box.start_fencer(); // attaches to it, or starts one
  return true;
}

void host_process::agent::furnish(node_parts& parts, node_config& config) {
  auto& box = host_.box;
  const auto& settings = all_.with.settings;
  config.host = host_section{};
  auto context = std::make_shared<host_context>();
  auto& self = context->self;
  self.id = fleet::node_of(number());
  self.name = "host-" + std::to_string(number());
  self.mesh_address = to_string(actor_world::door_of(number()));
  self.page_address = to_string(address{actor_world::door_of(number()).host, 1});
  self.vcpus = 64;
  self.memory_mib = 1'000;
  self.images = {"tick"};
  self.hypervisor = self.accelerator = "simulated";
  self.boot = box.boot();
  self.fences = true;
  context->state = "/proc/none"; // whoever writes there has forgotten that this is no machine
  context->images["tick"] = {};
  context->driver = box.driver;
  context->pool = std::make_shared<blocking_pool>(
      [host = &host_, life = host_.life()](const uuid* key, std::function<void()> work) {
        if (host->life() == life)
          host->run(key, std::move(work));
      });
  context->pages = std::make_shared<door_model>(host_.pages_, host_);
  context->send_pages = [host = &host_](const tls_files&, const session_ticket& ticket,
                                        const send_options&, session_end end) {
    return result<std::unique_ptr<page_sender>>{host->pages_.send(*host, ticket, std::move(end))};
  };
  context->mark_of = [&box, &seen = all_.with.all.seen](migration_id migration) {
    return std::make_unique<finish_mark_model>(box, seen, migration);
  };
  context->boot_time = [&box] { return box.clock.boot_time(); };
  self.migrations_at_once = static_cast<uint32_t>(settings.migrations_at_once);
  context->lease_term = std::chrono::milliseconds{settings.lease_term_ms};
  context->renew_every = std::chrono::milliseconds{settings.renew_every_ms};
  context->log = log_of(number());
  furnish_fencer(*context);
  host_.context_ = context;
  parts.host = std::move(context);
}

void host_process::agent::furnish_fencer(host_context& context) {
  auto start = [host = &host_, &seen = all_.with.all.seen] {
    seen.hit(probe::fencer_started_again);
    host->box.start_fencer();
  };
  context.move_deadline
      = [host = &host_, start](std::chrono::nanoseconds deadline) -> result<void> {
    auto problem = make_failure(hypervisor_errc::unreachable, "there is no fencer");
    if (!host->box.fencer_runs()) {
      start();
      return problem;
    }
    return host->box.order_now(deadline) ? result<void>{} : problem;
  };
  context.keep_fencer = [host = &host_, start]() -> result<void> {
    if (!host->box.fencer_runs())
      start();
    return {};
  };
}

// -- the host ------------------------------------------------------------------------

host_process::host_process(actor_world& all, page_plane& pages, uint64_t number)
    : any_host{all.with, number}, all_{all}, pages_{pages}, agent_{std::make_unique<agent>(all,
                                                                                           *this)} {
  // nop
}

host_process::~host_process() = default;

bool host_process::up() const {
  return agent_->up();
}

bool host_process::frozen() const {
  return agent_->frozen();
}

void host_process::start() {
  agent_->start();
}

void host_process::crash() {
  agent_->crash();
}

void host_process::go_dark() {
  agent_->crash(true);
}

void host_process::ended() {
  with_.all.check.trace(21 + number_ * 31 + with_.all.time.now());
  if (!box.driver->guests().empty())
    with_.all.seen.hit(probe::agent_died_beside_guests);
  ++life_;
  ++freezes_;
  work_.clear();
  context_.reset();
  pages_.forget(*this);
  box.driver->connection_lost();
}

void host_process::freeze(uint64_t for_ms) {
  if (!up() || frozen())
    return;
  agent_->freeze();
  with_.all.time.after(for_ms, [this, which = ++freezes_] {
    if (which == freezes_)
      thaw();
  });
}

void host_process::thaw() {
  if (!frozen())
    return;
  ++freezes_;
  agent_->thaw();
  if (const auto deadline = context_->guarded_until.load();
      deadline.count() != 0 && box.clock.boot_time() >= deadline)
    with_.all.seen.hit(probe::agent_frozen_past_deadline);
}

void host_process::kill_some_actor() {
  agent_->kill_some_actor();
}

// -- work that blocks ----------------------------------------------------------------

void host_process::run(const uuid* key, std::function<void()> work) {
  if (!key) {
    auto performs = pages_.take_opened(*this);
    make(
        [this, performs, what = std::move(work)] {
          if (performs)
            pages_.perform(performs, what);
          else
            what();
        },
        [] {});
    return;
  }
  auto& queue = work_[*key];
  queue.push_back(std::move(work));
  if (queue.size() == 1)
    run_next(*key);
}

void host_process::run_next(const uuid& key) {
  const auto& rates = with_.settings.hypervisor;
  auto& all = with_.all;
  auto wait = all.luck.between(0, 2);
  if (key != fencer_key) {
    const auto present = all.time.now();
    wait += all.luck.between(rates.latency_min_ms, rates.latency_max_ms);
    wait += std::max(box.driver->hangs_until(), present) - present;
  }
  all.time.after(wait, [this, key, life = life_] {
    if (life == life_)
      make(work_.at(key).front(), [this, key] {
        auto& queue = work_.at(key);
        queue.pop_front();
        if (!queue.empty())
          run_next(key);
      });
  });
}

void host_process::make(const std::function<void()>& work, const std::function<void()>& then) {
  with_.all.time.after(0, [this, work, then, life = life_] {
    if (life != life_)
      return;
    if (frozen()) {
      with_.all.time.after(look_again_ms, [this, work, then, life] {
        if (life == life_)
          make(work, then);
      });
      return;
    }
    try {
      work();
    } catch (const agent_died&) {
      with_.all.seen.hit(probe::agent_died_in_call);
      agent_->give_up();
      return;
    }
    if (life == life_)
      then();
  });
}

} // namespace novacron::sim
