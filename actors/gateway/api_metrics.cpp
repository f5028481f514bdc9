#include "actors/gateway/api_metrics.hpp"

#include "messages/names.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace novacron {

namespace {

using prometheus::Histogram;

const Histogram::BucketBoundaries request_seconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                  0.25,  0.5,    1,     2.5,  5,     10,   30};
const Histogram::BucketBoundaries operation_seconds{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};

/// By the number of `shed_reason`.
constexpr std::array<const char*, shed_reasons> shed_words{"connections", "in_flight", "strangers",
                                                           "bodies",      "answers",   "waits"};

double seconds_between(log_time from, log_time to) {
  return std::chrono::duration<double>(to - from).count();
}

template <class Build>
auto& family(Build build, prometheus::Registry& registry, const char* name, const char* help) {
  return build.Name(std::string{"novacron_"} + name).Help(help).Register(registry);
}

} // namespace

struct api_metrics::families {
  explicit families(prometheus::Registry& r)
      : requests{family(prometheus::BuildCounter(), r, "api_requests_total",
                        "Requests answered, by method, path and status")},
        durations{family(prometheus::BuildHistogram(), r, "api_request_duration_seconds",
                         "From the request's last byte until its answer was made")},
        websockets{family(prometheus::BuildGauge(), r, "websocket_connections_active",
                          "Open WebSockets of this gateway")
                       .Add({})},
        in_flight{family(prometheus::BuildGauge(), r, "api_requests_in_flight",
                         "Requests of this gateway that wait for an answer")
                      .Add({})},
        connections{family(prometheus::BuildGauge(), r, "api_connections_active",
                           "Open connections to this gateway's API, WebSockets included")
                        .Add({})},
        body_bytes{family(prometheus::BuildGauge(), r, "api_body_bytes",
                          "Of bodies that this gateway is reading")
                       .Add({})},
        answer_bytes{family(prometheus::BuildGauge(), r, "api_answer_bytes",
                            "Of large answers and frames that this gateway is sending")
                         .Add({})},
        vms{family(prometheus::BuildGauge(), r, "vms_total", "VMs in each actual state")},
        operations{family(prometheus::BuildCounter(), r, "vm_operations_total",
                          "Operations that ended, by verb and state")},
        operation_durations{family(prometheus::BuildHistogram(), r, "vm_operation_duration_seconds",
                                   "From an operation's acceptance until its end")},
        migrations{family(prometheus::BuildCounter(), r, "dwcp_migrations_total",
                          "Migrations that ended, by outcome")},
        migration_durations{family(prometheus::BuildHistogram(), r,
                                   "dwcp_migration_duration_seconds",
                                   "From a reservation until the guest ran at the destination")
                                .Add({}, operation_seconds)},
        ratio{family(prometheus::BuildGauge(), r, "dwcp_compression_ratio",
                     "Guest bytes per wire byte of the last migration that ended well")
                  .Add({})},
        guest_bytes{family(prometheus::BuildCounter(), r, "dwcp_guest_bytes_total",
                           "Of migrated guests' streams, as QEMU wrote them")
                        .Add({})},
        wire_bytes{family(prometheus::BuildCounter(), r, "dwcp_wire_bytes_total",
                          "What migrations' sockets carried, both ways")
                       .Add({})},
        packed_bytes{family(prometheus::BuildCounter(), r, "dwcp_packed_bytes_total",
                            "Of migrated guests' streams after compression, before TLS")
                         .Add({})},
        pages{family(prometheus::BuildCounter(), r, "dwcp_pages_total",
                     "Pages of migrated guests, by how they were sent")},
        raw_bytes{family(prometheus::BuildCounter(), r, "dwcp_raw_bytes_total",
                         "Of migrated guests' streams sent as they were, by why")},
        reconnects{family(prometheus::BuildCounter(), r, "dwcp_reconnects_total",
                          "Connections of migrations that took the place of a lost one")
                       .Add({})} {
    auto& all
        = family(prometheus::BuildCounter(), r, "api_requests_shed_total",
                 "Requests sent away with 503 and Retry-After, by what there was too much of");
    for (size_t n = 0; n < shed.size(); ++n)
      shed[n] = &all.Add({{"reason", shed_words[n]}}); // also at 0, for alarms
  }

  prometheus::Family<prometheus::Counter>& requests;
  prometheus::Family<Histogram>& durations;
  prometheus::Gauge& websockets;
  std::array<prometheus::Counter*, shed_reasons> shed{};
  prometheus::Gauge& in_flight;
  prometheus::Gauge& connections;
  prometheus::Gauge& body_bytes;
  prometheus::Gauge& answer_bytes;
  prometheus::Family<prometheus::Gauge>& vms;
  prometheus::Family<prometheus::Counter>& operations;
  prometheus::Family<Histogram>& operation_durations;
  prometheus::Family<prometheus::Counter>& migrations;
  Histogram& migration_durations;
  prometheus::Gauge& ratio;
  prometheus::Counter& guest_bytes;
  prometheus::Counter& wire_bytes;
  prometheus::Counter& packed_bytes;
  prometheus::Family<prometheus::Counter>& pages;
  prometheus::Family<prometheus::Counter>& raw_bytes;
  prometheus::Counter& reconnects;

  void add(const migration_cost& cost) {
    guest_bytes.Increment(static_cast<double>(cost.guest_bytes));
    wire_bytes.Increment(static_cast<double>(cost.wire_bytes));
    packed_bytes.Increment(static_cast<double>(cost.work.packed_bytes));
    reconnects.Increment(cost.work.reconnects);
    const auto sent = [this](const char* how, uint64_t count) {
      pages.Add({{"sent", how}}).Increment(static_cast<double>(count));
    };
    sent("zero", cost.work.zero_pages);
    sent("whole", cost.work.whole_pages);
    sent("same", cost.work.same_pages);
    sent("changed", cost.work.changed_pages);
    for (size_t n = 0; n < cost.work.raw_bytes.size(); ++n)
      raw_bytes.Add({{"why", std::string{word_of(static_cast<opaque_reason>(n))}}})
          .Increment(static_cast<double>(cost.work.raw_bytes[n]));
  }
};

api_metrics::api_metrics(std::shared_ptr<prometheus::Registry> registry,
                         std::shared_ptr<shed_count> sheds)
    : registry_{std::move(registry)}, sheds_{std::move(sheds)} {
  if (!registry_)
    registry_ = std::make_shared<prometheus::Registry>();
  families_ = std::make_unique<families>(*registry_);
}

api_metrics::~api_metrics() = default;

void api_metrics::answered(const route* which, unsigned status,
                           std::chrono::duration<double> took) {
  // Paths and methods come from the routes, not from the client: the number of
  // time series is bounded.
  std::string method{which == nullptr ? "other" : which->method};
  std::string path{which == nullptr ? "other" : which->path};
  families_->requests.Add({{"method", method}, {"path", path}, {"status", std::to_string(status)}})
      .Increment();
  families_->durations.Add({{"method", method}, {"path", path}}, request_seconds)
      .Observe(took.count());
}

void api_metrics::websockets(int difference) {
  families_->websockets.Increment(difference);
}

void api_metrics::shed(shed_reason why) {
  families_->shed[static_cast<size_t>(why)]->Increment();
  if (sheds_ && why != shed_reason::strangers)
    sheds_->add();
}

void api_metrics::holds(const load& now) {
  families_->in_flight.Set(static_cast<double>(now.in_flight));
  families_->connections.Set(static_cast<double>(now.connections));
  families_->body_bytes.Set(static_cast<double>(now.body_bytes));
  families_->answer_bytes.Set(static_cast<double>(now.answer_bytes));
}

void api_metrics::changed(const any_record& record) {
  if (auto* operation = std::get_if<operation_record>(&record)) {
    if (operation->state == operation_state::running)
      return;
    auto verb = to_string(operation->verb);
    families_->operations.Add({{"verb", verb}, {"state", to_string(operation->state)}}).Increment();
    families_->operation_durations.Add({{"verb", verb}}, operation_seconds)
        .Observe(seconds_between(operation->created, operation->ended));
  } else if (auto* migration = std::get_if<migration_record>(&record)) {
    if (!migration->over())
      return;
    families_->migrations.Add({{"outcome", to_string(migration->phase)}}).Increment();
    if (migration->phase != migration_phase::done)
      return;
    const auto& cost = migration->cost;
    families_->add(cost);
    families_->migration_durations.Observe(std::chrono::duration<double>(cost.duration).count());
    if (cost.wire_bytes > 0)
      families_->ratio.Set(static_cast<double>(cost.guest_bytes)
                           / static_cast<double>(cost.wire_bytes));
  }
}

std::string api_metrics::scrape(const std::array<uint64_t, 9>& vms_by_state) {
  for (size_t i = 0; i < vms_by_state.size(); ++i)
    families_->vms.Add({{"state", to_string(static_cast<actual_state>(i))}})
        .Set(static_cast<double>(vms_by_state[i]));
  return prometheus::TextSerializer{}.Serialize(registry_->Collect());
}

} // namespace novacron
