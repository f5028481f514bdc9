#include "machine.hpp"
#include "steps.hpp"
#ifdef NOVACRON_BENCH_ETCD
#include "etcd_cluster.hpp"
#endif

#include <CLI/CLI.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>

namespace {

using namespace novacron::bench;

std::string now_text() {
  const auto now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

boost::json::string as_json(const std::string& text) {
  return boost::json::string{text.data(), text.size()};
}

std::string etcd_version() {
#ifdef NOVACRON_BENCH_ETCD
  return etcd_cluster::version();
#else
  return {};
#endif
}

} // namespace

int main(int argc, char** argv) {
  bench_options options;
  options.folder = "build/bench/data";
  std::filesystem::path file = "build/bench/consensus.json";
  std::string revision;
  bool resume = false;
  bool without_etcd = false;
  CLI::App app{"Measures consensus, beside etcd where that is installed"};
  app.add_option("--folder", options.folder, "Where servers keep their data: the disk to measure")
      ->capture_default_str();
  app.add_option("--report", file, "JSON; tables in Markdown go beside it")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Of load, for each figure")
      ->check(CLI::Range(0.5, 60.0))
      ->capture_default_str();
  app.add_option("--value-bytes", options.value_bytes, "Of each write")
      ->check(CLI::Range(1, 4'096))
      ->capture_default_str();
  app.add_option("--kills", options.kills, "Of leaders")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--restarts", options.restarts)->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--records", options.records)
      ->check(CLI::Range(1'000, 1'000'000))
      ->capture_default_str();
  app.add_option("--revision", revision, "Of the sources, for the report");
  app.add_flag("--resume", resume, "Go on with a run that was broken off");
  app.add_flag("--without-etcd", without_etcd);
  CLI11_PARSE(app, argc, argv);
  try {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::filesystem::create_directories(file.parent_path());
    options.folder = std::filesystem::absolute(options.folder);
    const auto etcd = etcd_version();
    options.etcd = !without_etcd && !etcd.empty();
    report out{file, resume};
    if (!options.etcd)
      std::printf("etcd is left out: %s\n",
                  without_etcd ? "as asked" : "it or gRPC isn't installed");
    if (!resume || !out.all().contains("machine")) {
      out.put("machine", describe_machine());
      out.put("begun", as_json(now_text()));
      out.put("revision", as_json(revision));
      out.put("etcd_version", as_json(etcd));
      out.put("value_bytes", options.value_bytes);
    }
    out.put("complete", false);
    run_steps(options, out);
    out.put("load_at_end", load_average());
    out.put("ended", as_json(now_text()));
    out.put("complete", out.failures() == 0);
    auto tables = file;
    tables.replace_extension(".md");
    const auto text = markdown_of(out.all());
    std::ofstream{tables} << text;
    std::printf("\n%s\n%s\n%s\n", text.c_str(), file.c_str(), tables.c_str());
    return out.failures() == 0 ? 0 : 1;
  } catch (const std::exception& why) {
    std::fprintf(stderr, "bench_consensus: %s\n", why.what());
    return 2;
  }
}
