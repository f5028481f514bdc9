#include "steps.hpp"

#include "machine.hpp"
#include "novacron_client.hpp"
#ifdef NOVACRON_BENCH_ETCD
#include "etcd_cluster.hpp"
#endif

#include <algorithm>
#include <boost/json/array.hpp>
#include <stdexcept>

namespace novacron::bench {

namespace {

namespace json = boost::json;
using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::duration<double, std::milli>;

constexpr size_t sync_bytes = 4'096;
constexpr int sync_writes = 200;
constexpr size_t more_than_kept
    = 10'500; // entries; the log keeps 10,000 (replica_config::keep_log)

/// A group of the system under test for the length of a step, in a folder that
/// goes with it.
class stage {
public:
  stage(const std::filesystem::path& base, const std::string& name, int voters)
      : folder_{base / (name + '-' + std::to_string(voters))} {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
#ifdef NOVACRON_BENCH_ETCD
    if (name == "etcd") {
      etcd_ = std::make_unique<etcd_cluster>(folder_, voters);
      return;
    }
#endif
    cluster_ = std::make_unique<novacron_cluster>(folder_, voters);
    client_ = std::make_unique<novacron_client>(*cluster_);
  }
  ~stage() {
    client_.reset();
    cluster_.reset();
#ifdef NOVACRON_BENCH_ETCD
    etcd_.reset();
#endif
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  system_under_test& system() {
#ifdef NOVACRON_BENCH_ETCD
    if (etcd_)
      return *etcd_;
#endif
    return *client_;
  }
  novacron_cluster& cluster() {
    return *cluster_;
  }
  novacron_client& client() {
    return *client_;
  }

private:
  std::filesystem::path folder_;
  std::unique_ptr<novacron_cluster> cluster_;
  std::unique_ptr<novacron_client> client_;
#ifdef NOVACRON_BENCH_ETCD
  std::unique_ptr<etcd_cluster> etcd_;
#endif
};

json::object figures_of(load_result result) {
  return {{"commits", result.calls.count()},
          {"failed", result.failed},
          {"first_failure", result.first_failure},
          {"seconds", result.seconds},
          {"per_second", static_cast<double>(result.calls.count()) / result.seconds},
          {"p50_ms", result.calls.percentile_ms(0.5)},
          {"p99_ms", result.calls.percentile_ms(0.99)},
          {"max_ms", result.calls.longest_ms()}};
}

json::object measure_load(const bench_options& options, const std::string& name, int voters) {
  stage on{options.folder, name, voters};
  json::object out;
  for (size_t outstanding : {1, 64, 1'024}) {
    load_plan plan;
    plan.outstanding = outstanding;
    plan.value_bytes = options.value_bytes;
    plan.lasts = std::chrono::milliseconds{static_cast<int64_t>(options.seconds * 1'000)};
    out[std::to_string(outstanding)] = figures_of(on.system().load(plan));
  }
  return out;
}

/// What was measured several times, in order, and the middle one and the largest.
json::object summary_of(std::vector<double> all) {
  json::object out{{"each_ms", json::array(all.begin(), all.end())}};
  std::ranges::sort(all);
  out["median_ms"] = all.at((all.size() - 1) / 2);
  out["max_ms"] = all.back();
  return out;
}

json::object measure_kills(const bench_options& options, const std::string& name) {
  stage on{options.folder, name, 3};
  std::vector<double> pauses;
  for (int i = 0; i < options.kills; ++i)
    pauses.push_back(on.system().kill_leader().count());
  return summary_of(std::move(pauses));
}

/// A single voter with many records: what they cost, and how long it takes to be
/// back after SIGKILL, from the start of the process to its first commit.
json::object measure_records(const bench_options& options) {
  stage on{options.folder, "novacron", 1};
  auto& processes = on.cluster().processes();
  const auto before = resident_bytes(processes.pid(1));
  const auto begin = clock::now();
  on.client().create(options.records, options.value_bytes);
  const milliseconds filling = clock::now() - begin;
  const auto after = resident_bytes(processes.pid(1));
  std::vector<double> times;
  uint64_t restarted = 0;
  for (int i = 0; i < options.restarts; ++i) {
    processes.kill(1);
    processes.start(1);
    times.push_back(on.client().until_first_commit(1).count());
    restarted = resident_bytes(processes.pid(1));
  }
  return {{"records", options.records},
          {"filled_in_ms", filling.count()},
          {"resident_before_bytes", before},
          {"resident_after_bytes", after},
          {"bytes_for_100000", static_cast<double>(after - std::min(before, after)) * 100'000
                                   / static_cast<double>(options.records)},
          {"resident_after_restart_bytes", restarted},
          {"restart", summary_of(std::move(times))}};
}

/// A follower is away until the leader's log no longer reaches back to it.
json::object measure_install(const bench_options& options) {
  stage on{options.folder, "novacron", 3};
  auto& client = on.client();
  client.create(options.records, options.value_bytes);
  client.await_all();
  const auto away = client.leader() % 3 + 1;
  on.cluster().processes().kill(away);
  client.write_entries(more_than_kept);
  const auto leads = client.leader();
  const auto target = client.status(leads).value_or(group_status{}).commit_index;
  client.forget(away);
  const auto begin = clock::now();
  on.cluster().processes().start(away);
  bool installing = false;
  wait_until("the follower has the state", std::chrono::seconds{120}, [&] {
    auto seen = client.status(away);
    installing = installing || (seen && seen->installing);
    return seen && seen->applied_index >= target;
  });
  const milliseconds took = clock::now() - begin;
  return {{"records", options.records},
          {"entries_behind", more_than_kept},
          {"seen_installing", installing},
          {"until_caught_up_ms", took.count()}};
}

} // namespace

void run_steps(const bench_options& options, report& out) {
  std::filesystem::create_directories(options.folder);
  out.measure("disk_sync", [&] { return measure_sync(options.folder, sync_bytes, sync_writes); });
  for (int voters : {1, 3}) {
    const auto group = std::to_string(voters) + "_voters";
    // One after the other, so that what else the machine does hits both alike.
    out.measure("load/" + group + "/novacron",
                [&] { return measure_load(options, "novacron", voters); });
    if (options.etcd)
      out.measure("load/" + group + "/etcd", [&] { return measure_load(options, "etcd", voters); });
  }
  out.measure("leader_kills/novacron", [&] { return measure_kills(options, "novacron"); });
  if (options.etcd)
    out.measure("leader_kills/etcd", [&] { return measure_kills(options, "etcd"); });
  out.measure("records", [&] { return measure_records(options); });
  out.measure("snapshot_install", [&] { return measure_install(options); });
}

} // namespace novacron::bench
