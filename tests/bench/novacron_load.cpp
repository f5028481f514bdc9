#include "novacron_load.hpp"

#include <caf/all.hpp>

namespace novacron::bench {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto patience = 10s;
constexpr auto pause_after_failure = 5ms;
constexpr size_t writers = 4;

bool accepted(const outcomes& answer) {
  return answer.each.size() == 1 && answer.each.front().ok();
}

/// Sends one proposal; `then` gets when it was sent, and whether it was accepted.
template <class Target, class Then>
void write(caf::event_based_actor* self, const Target& target, const proposal& what, Then then) {
  const auto sent = clock::now();
  self->request(target, patience, what)
      .then([sent, then](const outcomes& answer) { then(sent, accepted(answer)); },
            [sent, then](const caf::error&) { then(sent, false); });
}

struct timed_load {
  link_actor target;
  vm_source source;
  clock::time_point from;
  clock::time_point end;
  size_t under_way = 0;
  load_result result;
  std::promise<load_result> done;
};

void go_on(caf::event_based_actor* self, const std::shared_ptr<timed_load>& load) {
  write(self, load->target, load->source.next(), [self, load](clock::time_point sent, bool good) {
    const auto now = clock::now();
    if (now >= load->end) {
      if (--load->under_way == 0) {
        load->done.set_value(std::move(load->result));
        self->quit();
      }
      return;
    }
    if (now >= load->from && good)
      load->result.calls.add(now - sent);
    if (now >= load->from && !good)
      ++load->result.failed;
    if (good)
      go_on(self, load);
    else
      self->delayed_send(self, pause_after_failure, tick_atom::value);
  });
}

struct counted_load {
  link_actor target;
  vm_source source;
  size_t left = 0;
  size_t under_way = 0;
  bool barriers = false;
  std::promise<void> done;
};

void repeat(caf::event_based_actor* self, const std::shared_ptr<counted_load>& load,
            const proposal& what);

void next_of_count(caf::event_based_actor* self, const std::shared_ptr<counted_load>& load) {
  if (load->left == 0) {
    if (--load->under_way == 0) {
      load->done.set_value();
      self->quit();
    }
    return;
  }
  --load->left;
  repeat(self, load, load->barriers ? proposal{{command{barrier{}, {}}}} : load->source.next());
}

void repeat(caf::event_based_actor* self, const std::shared_ptr<counted_load>& load,
            const proposal& what) {
  write(self, load->target, what, [self, load, what](clock::time_point, bool good) {
    if (good)
      next_of_count(self, load);
    else
      repeat(self, load, what);
  });
}

struct endless_load {
  controller_actor target;
  vm_source source;
  std::shared_ptr<acknowledgements> seen;
};

void write_forever(caf::event_based_actor* self, const std::shared_ptr<endless_load>& load) {
  write(self, load->target, load->source.next(), [self, load](clock::time_point sent, bool good) {
    if (good) {
      load->seen->add(sent, clock::now());
      write_forever(self, load);
    } else {
      self->delayed_send(self, pause_after_failure, tick_atom::value);
    }
  });
}

} // namespace

proposal vm_source::next() {
  const auto number = values_.next_number();
  create_vm vm;
  vm.vm.value = {values_.run(), number};
  vm.name = "vm-" + std::to_string(values_.run()) + '-' + std::to_string(number);
  vm.spec.vcpus = 1;
  vm.spec.memory_mib = 1;
  vm.spec.image = "none";
  vm.spec.kernel_arguments = values_.next_value(value_bytes_);
  vm.host = host_;
  vm.operation.value = {~values_.run(), number};
  return {{command{std::move(vm), {}}}};
}

void acknowledgements::add(time_point sent, time_point answered) {
  std::lock_guard lock{mutex_};
  all_.emplace_back(sent, answered);
}

std::optional<acknowledgements::time_point>
acknowledgements::first_sent_after(time_point from) const {
  std::lock_guard lock{mutex_};
  std::optional<time_point> first;
  for (const auto& [sent, answered] : all_)
    if (sent >= from && (!first || answered < *first))
      first = answered;
  return first;
}

void write_for(caf::actor_system& system, const link_actor& target, vm_source source,
               const load_plan& plan, std::promise<load_result> done) {
  const auto from = clock::now() + plan.warm_up;
  auto load = std::make_shared<timed_load>(timed_load{
      target, std::move(source), from, from + plan.lasts, plan.outstanding, {}, std::move(done)});
  load->result.seconds = std::chrono::duration<double>(plan.lasts).count();
  system.spawn([load, count = plan.outstanding](caf::event_based_actor* self) -> caf::behavior {
    for (size_t i = 0; i < count; ++i)
      go_on(self, load);
    return {[self, load](tick_atom) { go_on(self, load); }};
  });
}

void write_count(caf::actor_system& system, const link_actor& target, vm_source source,
                 size_t outstanding, size_t count, bool barriers, std::promise<void> done) {
  auto load = std::make_shared<counted_load>(
      counted_load{target, std::move(source), count, outstanding, barriers, std::move(done)});
  system.spawn([load, outstanding](caf::event_based_actor* self) -> caf::behavior {
    for (size_t i = 0; i < outstanding; ++i)
      next_of_count(self, load);
    return {[](tick_atom) {}};
  });
}

caf::actor write_on(caf::actor_system& system, const controller_actor& target, vm_source source,
                    std::shared_ptr<acknowledgements> seen) {
  auto load
      = std::make_shared<endless_load>(endless_load{target, std::move(source), std::move(seen)});
  return system.spawn([load](caf::event_based_actor* self) -> caf::behavior {
    for (size_t i = 0; i < writers; ++i)
      write_forever(self, load);
    return {[self, load](tick_atom) { write_forever(self, load); }};
  });
}

} // namespace novacron::bench
