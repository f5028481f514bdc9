#include "tests/bench/machine.hpp"
#include "tests/bench/migration/matrix.hpp"
#include "tests/bench/migration/memory_floor.hpp"
#include "tests/bench/migration/page_ends.hpp"
#include "tests/bench/migration/pipeline_row.hpp"
#include "tests/bench/migration/product_row.hpp"
#include "tests/bench/migration/saved_state.hpp"
#include "tests/bench/migration/tables.hpp"
#include "tests/bench/report.hpp"
#include "tests/lab/link/tcp_rate.hpp"
#include "tests/unit/dwcp/test_authority.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>

namespace {

namespace json = boost::json;
using namespace novacron;
using namespace novacron::bench;

struct options {
  row_setup setup;
  std::filesystem::path file = "build/bench/migration.json";
  std::string revision;
  std::vector<std::string> only;
  int repeats = 3;
  bool full = false;
  bool fresh = false;
  bool product = false;
  bool capture = false;
};

std::string now_text() {
  const auto now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

/// What one TCP connection gets of the link, for about two seconds.
json::value link_figures(const named_link& what, const std::string& congestion_control) {
  const lab::emulated_link link{what.shape};
  if (!congestion_control.empty())
    link.set_congestion_control(congestion_control);
  const auto rate = what.shape.rate_mbit_per_s > 0 ? what.shape.rate_mbit_per_s : 2'000;
  const auto bytes = static_cast<size_t>(rate * 1e6 / 8 * 3);
  return {{"rate_mbit_per_s", what.shape.rate_mbit_per_s},
          {"one_way_ms", std::chrono::duration<double, std::milli>(what.shape.delay).count()},
          {"loss", what.shape.loss},
          {"congestion_control", link.congestion_control()},
          {"tcp_mbit_per_s", lab::tcp_rate_mbit_per_s(link, bytes)}};
}

/// A migration that doesn't end is tried once; two more minutes say no more.
bool pointless(const report& out, const std::string& first_row, bool full) {
  const auto* first = out.all().if_contains(first_row);
  const auto* converged = first == nullptr || !first->is_object()
                              ? nullptr
                              : first->as_object().if_contains("converged");
  return !full && converged != nullptr && !converged->as_bool();
}

using row_function = json::object (*)(const row_setup&, const cell&, const json::object&, int);

void run_cell(const options& wanted, report& out, const std::string& table, const cell& x,
              int repeat, row_function row) {
  const auto link = "link/" + x.link->name;
  const auto memory = "memory/" + x.load->name;
  if (!out.all().contains(link))
    out.measure(link, [&] { return link_figures(*x.link, wanted.setup.congestion_control); });
  if (!out.all().contains(memory))
    out.measure(memory, [&] {
      const auto& place = wanted.setup.place;
      return describe_memory(saved_state(place, *x.load), states_seen_by(place, *x.load));
    });
  const auto name = table + '/' + x.load->name + '/' + x.link->name + '/' + x.way->name + '/';
  if (repeat == 1 || !pointless(out, name + '1', wanted.full))
    out.measure(name + std::to_string(repeat),
                [&] { return row(wanted.setup, x, out.all().at(memory).as_object(), repeat); });
}

void run_rows(const options& wanted, report& out) {
  const auto cells = chosen_cells(wanted.full, wanted.only);
  for (int repeat = 1; repeat <= wanted.repeats; ++repeat) {
    for (const auto& x : cells)
      run_cell(wanted, out, "pipeline", x, repeat, pipeline_row);
    for (const auto& x : cells)
      if ((wanted.full || wanted.product) && through_libvirt(*x.way) && x.load->seen.empty())
        run_cell(wanted, out, "product", x, repeat, product_row);
  }
}

void capture(const options& wanted) {
  for (const auto& load : workloads()) {
    if (!load.seen.empty()) // no other streams
      continue;
    constexpr unsigned mib_per_s = 20; // so slow that guests that write take several rounds
    std::printf("%s\n", saved_state(wanted.setup.place, load).c_str());
    if (load.name != "idle")
      std::printf("%s\n", captured_stream(wanted.setup.place, load, mib_per_s).c_str());
  }
}

int measure(options& wanted) {
  const testing::test_authority authority;
  wanted.setup.pages.source = authority.issue(source_node());
  wanted.setup.pages.destination = authority.issue(destination_node());
  std::filesystem::create_directories(wanted.file.parent_path());
  wanted.setup.place.states = std::filesystem::absolute(wanted.setup.place.states);
  wanted.setup.place.image = std::filesystem::absolute(wanted.setup.place.image);
  std::filesystem::create_directories(wanted.setup.place.states);
  if (wanted.capture) {
    capture(wanted);
    return 0;
  }
  report out{wanted.file, !wanted.fresh};
  if (!out.all().contains("machine")) {
    out.put("machine", describe_machine());
    out.put("begun", json::value(now_text()));
    out.put("revision", json::value(wanted.revision));
  }
  run_rows(wanted, out);
  out.put("ended", json::value(now_text()));
  const auto text = migration_tables(out.all());
  auto beside = wanted.file;
  std::ofstream{beside.replace_extension(".md")} << text;
  for (const auto& link : links())
    if (const auto plot = migration_plot(out.all(), link.name); !plot.empty())
      std::ofstream{wanted.file.parent_path() / ("migration-" + link.name + ".svg")} << plot;
  std::printf("\n%s\n%s\n%s\n", text.c_str(), wanted.file.c_str(), beside.c_str());
  return out.failures() == 0 ? 0 : 1;
}

void add_page_end(CLI::App& app, const char* name, page_end& end) {
  auto* command = app.add_subcommand(name)->group(""); // hidden
  command->add_option("--certificate", end.tls.certificate)->required();
  command->add_option("--key", end.tls.key)->required();
  command->add_option("--authority", end.tls.authority)->required();
  command->add_option("--socket", end.socket)->required();
  command->add_option("--result", end.result)->required();
  command->add_option("--kept", end.kept);
  command->add_option("--streams", end.streams);
  command->add_flag("--plain", end.plain);
}

} // namespace

int main(int argc, char** argv) {
  options wanted;
  page_end end;
  auto& place = wanted.setup.place;
  place.states = "build/bench/states";
  place.image = NOVACRON_GUEST_FOLDER;
  wanted.setup.pages.program = std::filesystem::read_symlink("/proc/self/exe");
  CLI::App app{"Measures live migrations, beside QEMU's own ways. Must be root"};
  app.add_option("--report", wanted.file, "JSON; tables and plots go beside it")
      ->capture_default_str();
  app.add_option("--states", place.states, "Where saved guests are kept")->capture_default_str();
  app.add_option("--image", place.image, "The guest's kernel and initramfs")->capture_default_str();
  app.add_option("--only", wanted.only, "workload/link/method, '*' for any; may be repeated");
  app.add_option("--repeats", wanted.repeats)->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--streams", wanted.setup.pages.streams, "DWCP's connections")
      ->capture_default_str();
  app.add_flag("--plain", wanted.setup.pages.plain, "DWCP doesn't compress");
  app.add_option("--congestion-control", wanted.setup.congestion_control,
                 "TCP's, for all methods, as in reno; keep it in a report of its own");
  app.add_option("--revision", wanted.revision, "Of the sources, for the report");
  app.add_flag("--full", wanted.full, "All workloads, links and methods");
  app.add_flag("--product", wanted.product, "Through libvirt as well; --full does it, too");
  app.add_flag("--fresh", wanted.fresh, "Forget what was measured before");
  app.add_flag("--capture", wanted.capture, "Only make streams for codec_bench");
  add_page_end(app, "page-door", end);
  add_page_end(app, "page-sender", end);
  CLI11_PARSE(app, argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    if (app.got_subcommand("page-door"))
      return run_page_door(end);
    if (app.got_subcommand("page-sender"))
      return run_page_sender(end);
    return measure(wanted);
  } catch (const std::exception& why) {
    std::fprintf(stderr, "bench_migration: %s\n", why.what());
    return 2;
  }
}
