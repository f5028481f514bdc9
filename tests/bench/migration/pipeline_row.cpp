#include "tests/bench/migration/pipeline_row.hpp"

#include "actors/migration/convergence.hpp"
#include "hypervisor/console/console_watch.hpp"
#include "messages/page_record.hpp"
#include "tests/becomes_true.hpp"
#include "tests/bench/machine.hpp"
#include "tests/bench/migration/memory_floor.hpp"
#include "tests/bench/migration/page_pair.hpp"
#include "tests/lab/link/emulated_link.hpp"
#include "tests/lab/qemu/bare_guest.hpp"
#include "tests/unit/dwcp/test_authority.hpp"

#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

namespace novacron::bench {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto row_limit = 60s;
constexpr auto patience = 20s;
constexpr size_t ticks_before = 10;
constexpr size_t ticks_after = 10;
constexpr uint64_t unlimited = uint64_t{1} << 40; // bytes/s
constexpr auto look_every = 200ms;                // actors/migration: migration_tick
constexpr const char* credentials_id = "tls0";
constexpr int native_downtime_ms = 300; // QEMU's own default

/// One migration: what it needs, in the order in which it is taken down again.
class moved_guest {
public:
  moved_guest(const row_setup& setup, const cell& what, const testing::temporary_folder& folder)
      : setup_{setup}, what_{what}, folder_{folder}, link_{what.link->shape},
        destination_{guest("destination", link_.b().name(), "defer")},
        source_{guest("source", link_.a().name(),
                      "exec:cat '" + saved_state(setup.place, *what.load).string() + "'")} {
    if (!setup.congestion_control.empty())
      link_.set_congestion_control(setup.congestion_control);
    source_.wait_until_loaded(); // its own capabilities would change how it is loaded
    prepare(source_);
    prepare(destination_);
    if (what.way->pages_by_dwcp) {
      destination_.monitor().call("migrate-incoming",
                                  {{"uri", "unix:" + (folder_ / "in").string()}});
      pages_.emplace(setup.pages, link_, page_sockets{folder_ / "out", folder_ / "in"},
                     folder_ / "", what_has_been_seen());
    } else {
      destination_.monitor().call(
          "migrate-incoming",
          {{"uri", "tcp:" + std::string{lab::emulated_link::address_b} + ":4444"}});
    }
    source_.monitor().call("cont");
    if (!console_.wait_for_ticks(ticks_before, patience))
      throw std::runtime_error{"the guest doesn't tick at the source"};
  }

  json::object move();

private:
  lab::guest_setup guest(const std::string& name, const std::string& network,
                         const std::string& incoming) {
    std::vector<std::string> credentials;
    if (what_.way->tls)
      credentials = {"-object", tls_credentials(name)};
    return {.folder = folder_ / "",
            .name = name,
            .image = setup_.place.image,
            .kernel_arguments = what_.load->kernel_arguments,
            .network_namespace = network,
            .incoming = incoming,
            .devices = std::move(credentials)};
  }
  [[nodiscard]] std::string tls_credentials(const std::string& name) const;
  kept_folder what_has_been_seen() const;
  void prepare(lab::bare_guest& guest);
  /// True when the guest runs at the destination; false when it takes too long, or never will.
  bool runs_there();
  void look();

  const row_setup& setup_;
  const cell& what_;
  const testing::temporary_folder& folder_;
  const lab::emulated_link link_;
  lab::bare_guest destination_;
  lab::bare_guest source_;
  console_watch console_{{source_.serial(), destination_.serial()}};
  std::optional<page_pair> pages_;
  convergence course_{migration_terms{}}; ///< of DWCP's migrations: as the product's are led
  bool gave_up_ = false;
};

kept_folder moved_guest::what_has_been_seen() const {
  uint64_t number = 0;
  for (const auto& state : states_seen_by(setup_.place, *what_.load)) {
    const auto kept = folder_ / "kept";
    std::filesystem::create_directory(kept);
    write_pages(state, kept / (to_string(vm_id{{1, 2 + number++}}) + ".pages"));
  }
  return number > 0 ? folder_ / "kept" : kept_folder{};
}

/// Of QEMU's own TLS: the object's arguments, once its files have the names that it wants. Whom
/// they name isn't looked at: it costs nothing that would be measured.
std::string moved_guest::tls_credentials(const std::string& name) const {
  const bool client = name == "source";
  const std::string endpoint = client ? "client" : "server";
  const auto& files = client ? setup_.pages.source : setup_.pages.destination;
  const auto place = folder_ / (name + "-tls");
  std::filesystem::create_directory(place);
  std::filesystem::copy_file(files.authority, place / "ca-cert.pem");
  std::filesystem::copy_file(files.certificate, place / (endpoint + "-cert.pem"));
  std::filesystem::copy_file(files.key, place / (endpoint + "-key.pem"));
  return "tls-creds-x509,id=" + std::string{credentials_id} + ",endpoint=" + endpoint
         + ",dir=" + place.string() + ",verify-peer=no,sanity-check=no";
}

void moved_guest::prepare(lab::bare_guest& guest) {
  guest.set_capabilities(what_.way->capabilities);
  json::object parameters{{"max-bandwidth", unlimited}, {"downtime-limit", native_downtime_ms}};
  if (what_.way->tls)
    parameters["tls-creds"] = credentials_id;
  for (const auto& capability : what_.way->capabilities) {
    if (capability == "multifd") {
      parameters["multifd-channels"] = 4;
      if (what_.way->zstd) {
        parameters["multifd-compression"] = "zstd";
        parameters["multifd-zstd-level"] = 1;
      }
    }
    if (capability == "xbzrle")
      parameters["xbzrle-cache-size"] = 256 << 20;
  }
  guest.monitor().call("migrate-set-parameters", std::move(parameters));
}

void moved_guest::look() {
  const auto job = source_.monitor().call("query-migrate").as_object();
  const auto* status = job.if_contains("status");
  if (status != nullptr && status->as_string() == "failed") {
    const auto* why = job.if_contains("error-desc");
    throw std::runtime_error{"QEMU gave up: "
                             + (why == nullptr ? "" : std::string{why->as_string()})};
  }
  const auto* ram = job.if_contains("ram");
  if (!what_.way->pages_by_dwcp || ram == nullptr)
    return;
  const auto orders = course_.look({ram->at("dirty-sync-count").to_number<uint32_t>(),
                                    ram->at("remaining").to_number<uint64_t>()},
                                   std::chrono::steady_clock::now());
  gave_up_ = orders.give_up.has_value();
  source_.monitor().call("migrate-set-parameters",
                         {{"downtime-limit", static_cast<int64_t>(orders.pause_limit.count())}});
}

bool moved_guest::runs_there() {
  const auto latest = std::chrono::steady_clock::now() + row_limit;
  auto next_look = std::chrono::steady_clock::now() + look_every;
  while (!becomes_true(5ms, [&] { return destination_.monitor().saw("RESUME"); })) {
    const auto now = std::chrono::steady_clock::now();
    if (now > latest || gave_up_)
      return false;
    if (now >= next_look) {
      look();
      next_look = now + look_every;
    }
  }
  return true;
}

json::object moved_guest::move() {
  const auto sent_before = link_.from_a().bytes.load();
  const auto back_before = link_.from_b().bytes.load();
  const auto source_cpu = source_.cpu_seconds();
  const auto destination_cpu = destination_.cpu_seconds();
  const auto uri = what_.way->pages_by_dwcp
                       ? "unix:" + (folder_ / "out").string()
                       : "tcp:" + std::string{lab::emulated_link::address_b} + ":4444";
  const auto begin = std::chrono::system_clock::now(); // QEMU stamps its events by it
  const auto begin_of_gap = std::chrono::steady_clock::now();
  if (pages_)
    pages_->start_sender();
  source_.monitor().call("migrate", {{"uri", uri}});
  json::object row;
  const bool converged = runs_there();
  row["converged"] = converged;
  row["seconds"]
      = std::chrono::duration<double>((converged ? destination_.monitor().time_of("RESUME")
                                                 : std::chrono::system_clock::now())
                                      - begin)
            .count();
  if (converged)
    source_.wait_until_sent(patience);
  row["cpu_seconds_src"] = source_.cpu_seconds() - source_cpu;
  row["cpu_seconds_dst"] = destination_.cpu_seconds() - destination_cpu;
  if (converged && pages_)
    pages_->note_end(row);
  row["wire_bytes"] = link_.from_a().bytes.load() - sent_before;
  row["wire_bytes_back"] = link_.from_b().bytes.load() - back_before;
  row["dropped_packets"] = link_.from_a().dropped.load();

  const auto job = source_.monitor().call("query-migrate").as_object();
  const auto& ram = job.at("ram").as_object();
  const auto count = [](const json::object& all, const char* name) {
    const auto* found = all.if_contains(name);
    return found == nullptr ? int64_t{0} : found->to_number<int64_t>();
  };
  row["rounds"] = count(ram, "dirty-sync-count");
  const auto* again = job.if_contains("xbzrle-cache");
  row["guest_bytes"]
      = static_cast<int64_t>(page_size)
        * (count(ram, "normal") + (again == nullptr ? 0 : count(again->as_object(), "pages")));
  row["zero_bytes"] = static_cast<int64_t>(page_size) * count(ram, "duplicate");
  row["qemu_total_ms"] = count(job, "total-time");
  if (converged)
    row["qemu_downtime_ms"] = count(job, "downtime");

  if (converged && !console_.wait_for_ticks(ticks_after, patience))
    throw std::runtime_error{"the guest doesn't tick at the destination"};
  const auto seen = console_.summary();
  if (!seen.memory_ok || seen.missing + seen.repeated > 0)
    throw std::runtime_error{"the guest is not what it was: its memory is "
                             + std::string{seen.memory_ok ? "good" : "bad"} + ", "
                             + std::to_string(seen.missing) + " ticks are missing, "
                             + std::to_string(seen.repeated) + " came twice"};
  row["tick_gap_ms"] = std::chrono::round<std::chrono::milliseconds>(
                           console_.largest_gap(begin_of_gap, std::chrono::steady_clock::now()))
                           .count();
  return row;
}

/// What the processes of a row have said, for the reason why it failed.
std::string last_words(const std::filesystem::path& folder) {
  std::string out;
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().extension() == ".log") {
      std::ifstream in{entry.path()};
      const std::string text{std::istreambuf_iterator<char>{in}, {}};
      if (!text.empty())
        out += "; " + entry.path().stem().string() + ": " + text.substr(0, 500);
    }
  return out;
}

} // namespace

json::object pipeline_row(const row_setup& setup, const cell& what, const json::object& memory,
                          int repeat) {
  auto out = row_head("pipeline", what, memory, repeat);
  if (!setup.congestion_control.empty())
    out["congestion_control"] = setup.congestion_control;
  const testing::temporary_folder folder;
  try {
    for (const auto& [name, value] : moved_guest{setup, what, folder}.move())
      out[name] = value;
  } catch (const std::exception& why) {
    throw std::runtime_error{why.what() + last_words(folder / "")};
  }
  return out;
}

json::object row_head(const std::string& table, const cell& what, const json::object& memory,
                      int repeat) {
  const auto floor_bytes = memory.at("floor_bytes").to_number<double>();
  const auto rate = what.link->shape.rate_mbit_per_s;
  return {{"table", table},
          {"workload", what.load->name},
          {"link", what.link->name},
          {"method", what.way->name},
          {"repeat", repeat},
          {"load_average", load_average()},
          {"floor_bytes", memory.at("floor_bytes")},
          {"floor_seconds", rate > 0 ? json::value(floor_bytes * 8 / 1e6 / rate) : json::value()}};
}

} // namespace novacron::bench
