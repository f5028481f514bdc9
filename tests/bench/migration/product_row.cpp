#include "tests/bench/migration/product_row.hpp"

#include "actors/migration/convergence.hpp"
#include "hypervisor/console/console_watch.hpp"
#include "hypervisor/libvirt/handles.hpp"
#include "tests/bench/migration/libvirt_side.hpp"
#include "tests/lab/qemu/bare_guest.hpp"
#include "tests/unit/dwcp/test_authority.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <future>
#include <libvirt/virterror.h>
#include <optional>
#include <stdexcept>
#include <unistd.h>

namespace novacron::bench {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto row_limit = 60s;
constexpr auto boot_limit = 120s;
constexpr auto patience = 20s;
constexpr size_t ticks_before = 30;
constexpr size_t ticks_after = 10;
constexpr auto look_every = 200ms; // actors/migration: migration_tick
constexpr int channels = 4;

template <class T>
T value_of(result<T> x) {
  if (!x)
    throw std::runtime_error{x.error().message};
  return std::move(*x);
}
void done(const result<void>& x) {
  if (!x)
    throw std::runtime_error{x.error().message};
}

std::runtime_error libvirt_says(const std::string& what) {
  return std::runtime_error{what + ": " + virGetLastErrorMessage()};
}

connect_pointer open(const libvirt_side& side) {
  connect_pointer out{virConnectOpen(side.uri().c_str()), [](virConnect* x) {
                        if (x != nullptr)
                          virConnectClose(x);
                      }};
  if (!out)
    throw libvirt_says(side.uri());
  return out;
}

/// The VM's QEMU processes.
std::vector<pid_t> processes_of(vm_id vm) {
  std::vector<pid_t> out;
  for (const auto& x : find_guest_processes())
    if (x.mark.vm == vm)
      out.push_back(x.pid);
  return out;
}

/// The first half of the ids of the bench's hosts; the other is its pid.
constexpr uint64_t bench_host = 0x6e6f'7661'6265'6e63;

/// Kills guests of benches that were killed: libvirt's outlive it.
node_id own_host() {
  for (const auto& x : find_guest_processes())
    if (x.mark.host.value.high == bench_host
        && ::kill(static_cast<pid_t>(x.mark.host.value.low), 0) != 0 && errno == ESRCH)
      ::kill(x.pid, SIGKILL);
  return {{bench_host, static_cast<uint64_t>(::getpid())}};
}

class product_guest {
public:
  product_guest(const row_setup& setup, const cell& what)
      : what_{what}, link_{what.link->shape}, destination_{link_.b(), host_, setup.place},
        source_{link_.a(), host_, setup.place}, spec_{source_.spec(vm_, what.load->kernel_arguments,
                                                                   1)},
        console_{{spec_.console_log, destination_.spec(vm_, {}, 2).console_log}} {
    if (!setup.congestion_control.empty())
      link_.set_congestion_control(setup.congestion_control);
    done(source_.driver().create(spec_));
    done(source_.driver().resume(vm_));
    if (!console_.wait_for_ticks(ticks_before, boot_limit))
      throw std::runtime_error{"the guest doesn't tick at the source"};
    source_process_ = processes_of(vm_).at(0);
    if (what.way->pages_by_dwcp)
      pages_.emplace(setup.pages, link_,
                     page_sockets{source_.socket("out"), destination_.socket("in")}, folder_ / "");
  }
  json::object move();

private:
  void by_libvirt();
  void by_dwcp();
  void look();
  void note_ticks(json::object& row, std::chrono::steady_clock::time_point begin, bool converged);
  void give_up(std::future<void>& job);

  const cell& what_;
  const testing::temporary_folder folder_;
  const vm_id vm_{random_uuid()};
  const node_id host_ = own_host(); ///< of both: guests that libvirt moves keep their host
  const lab::emulated_link link_;
  libvirt_side destination_;
  libvirt_side source_;
  const guest_spec spec_;
  console_watch console_;
  std::optional<page_pair> pages_;
  convergence course_{migration_terms{}}; ///< of DWCP's migrations: as an agent leads them
  bool gave_up_ = false;
  pid_t source_process_ = 0;
  double source_cpu_ = 0; ///< as of the last look: in the end the process is gone
};

void product_guest::by_libvirt() {
  const auto here = open(source_);
  const auto there = open(destination_);
  const domain_pointer domain{virDomainLookupByUUIDString(here.get(), to_string(vm_).c_str())};
  if (!domain)
    throw libvirt_says("no such guest at the source");
  typed_params params;
  const auto uri = "tcp://" + std::string{lab::emulated_link::address_b};
  params.add(VIR_MIGRATE_PARAM_URI, uri.c_str());
  unsigned flags = VIR_MIGRATE_LIVE;
  int capacity = params.count();
  if (!what_.way->capabilities.empty()) {
    flags |= VIR_MIGRATE_PARALLEL;
    virTypedParamsAddInt(params.values_out(), params.count_out(), &capacity,
                         VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS, channels);
  }
  const domain_pointer moved{virDomainMigrate3(domain.get(), there.get(), params.get(),
                                               static_cast<unsigned>(params.count()), flags)};
  if (!moved)
    throw libvirt_says("libvirt could not move it");
}

void product_guest::by_dwcp() {
  auto& here = source_.driver();
  auto& there = destination_.driver();
  const auto offer = value_of(here.migration_begin(vm_));
  const auto prepared = value_of(there.migration_prepare(
      {destination_.spec(vm_, what_.load->kernel_arguments, 2), offer, destination_.socket("in")}));
  pages_->start_sender();
  const auto performed = value_of(here.migration_perform(vm_, {prepared, source_.socket("out")}));
  const auto finished = value_of(there.migration_finish(vm_, performed, false));
  done(here.migration_confirm(vm_, finished));
}

void product_guest::look() {
  if (const auto cpu = lab::cpu_seconds_of(source_process_); cpu > 0)
    source_cpu_ = cpu;
  if (!what_.way->pages_by_dwcp)
    return;
  const auto job = source_.driver().migration_statistics(vm_);
  if (!job || job->memory_total_bytes == 0)
    return;
  const auto orders = course_.look({job->iteration, job->memory_remaining_bytes},
                                   std::chrono::steady_clock::now());
  gave_up_ = orders.give_up.has_value();
  static_cast<void>(
      source_.driver().set_max_downtime(vm_, orders.pause_limit)); // refused when it has ended
}

void product_guest::give_up(std::future<void>& job) {
  done(source_.driver().migration_abort(vm_));
  try {
    job.get();
  } catch (const std::exception&) {
    // as it should be
  }
}

void product_guest::note_ticks(json::object& row, std::chrono::steady_clock::time_point begin,
                               bool converged) {
  if (converged && !console_.wait_for_ticks(ticks_after, patience))
    throw std::runtime_error{"the guest doesn't tick at the destination"};
  const auto seen = console_.summary();
  if (!seen.memory_ok || seen.missing + seen.repeated > 0)
    throw std::runtime_error{"the guest is not what it was"};
  row["tick_gap_ms"] = std::chrono::round<std::chrono::milliseconds>(
                           console_.largest_gap(begin, std::chrono::steady_clock::now()))
                           .count();
}

json::object product_guest::move() {
  look();
  const auto cpu_before = source_cpu_;
  const auto sent_before = link_.from_a().bytes.load();
  const auto back_before = link_.from_b().bytes.load();
  const auto begin = std::chrono::steady_clock::now();
  auto job = std::async(std::launch::async,
                        [this] { what_.way->pages_by_dwcp ? by_dwcp() : by_libvirt(); });
  auto since_begin
      = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin); };
  std::optional<libvirt_side::time> there;
  while (!(there = destination_.runs(vm_, look_every)) && since_begin() < row_limit && !gave_up_) {
    look();
    if (job.wait_for(0s) == std::future_status::ready && !destination_.runs(vm_, 1s)) {
      job.get();
      throw std::runtime_error{"it is moved, but doesn't run"};
    }
  }
  json::object row{{"converged", there.has_value()}, {"seconds", since_begin().count()}};
  if (there) {
    row["seconds"] = std::chrono::duration<double>(*there - begin).count();
    look();
    job.get();
    row["seconds_until_confirmed"] = since_begin().count();
  } else {
    give_up(job);
  }
  row["cpu_seconds_src"] = source_cpu_ - cpu_before;
  row["cpu_seconds_dst"] = 0;
  for (const auto pid : processes_of(vm_))
    if (pid != source_process_)
      row["cpu_seconds_dst"] = lab::cpu_seconds_of(pid);
  if (there && pages_)
    pages_->note_end(row);
  row["wire_bytes"] = link_.from_a().bytes.load() - sent_before;
  row["wire_bytes_back"] = link_.from_b().bytes.load() - back_before;
  note_ticks(row, begin, there.has_value());
  return row;
}

} // namespace

bool through_libvirt(const method& way) {
  return way.pages_by_dwcp || way.name == "tcp" || way.name == "multifd";
}

json::object product_row(const row_setup& setup, const cell& what, const json::object& memory,
                         int repeat) {
  auto out = row_head("product", what, memory, repeat);
  if (!setup.congestion_control.empty())
    out["congestion_control"] = setup.congestion_control;
  product_guest guest{setup, what};
  for (const auto& [name, value] : guest.move())
    out[name] = value;
  return out;
}

} // namespace novacron::bench
