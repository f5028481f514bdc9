#include "figures.hpp"
#include "report.hpp"

namespace novacron::bench {

namespace {

namespace json = boost::json;

std::string load_rows(const json::object& all) {
  std::string out;
  for (const std::string voters : {"1", "3"})
    for (const std::string outstanding : {"1", "64", "1024"}) {
      const auto group = "load/" + voters + "_voters/";
      auto field = [&](const std::string& system, const std::string& name) -> const json::value& {
        return at(all, {group + system, outstanding, name});
      };
      out += "| " + voters + " | " + outstanding;
      for (const std::string system : {"novacron", "etcd"})
        out += " | " + number(field(system, "per_second"), 0) + " | "
               + number(field(system, "p50_ms")) + " | " + number(field(system, "p99_ms"));
      out += " | " + ratio(field("novacron", "per_second"), field("etcd", "per_second")) + " |\n";
    }
  return out;
}

std::string kill_rows(const json::object& all) {
  std::string out;
  for (const std::string system : {"novacron", "etcd"}) {
    const auto step = "leader_kills/" + system;
    const auto* each = at(all, {step, "each_ms"}).if_array();
    out += "| " + system + " | " + std::to_string(each == nullptr ? 0 : each->size()) + " | "
           + number(at(all, {step, "median_ms"}), 0) + " | " + number(at(all, {step, "max_ms"}), 0)
           + " |\n";
  }
  return out;
}

} // namespace

std::string markdown_of(const json::object& all) {
  auto text = [&](std::initializer_list<std::string> path) {
    const auto* found = at(all, path).if_string();
    return found == nullptr ? std::string{"–"} : std::string{found->data(), found->size()};
  };
  return "# Consensus, measured\n\n`make bench-consensus`, begun " + text({"begun"}) + ", revision "
         + text({"revision"}) + "; " + text({"machine", "model"}) + ", "
         + number(at(all, {"machine", "processors"}), 0) + " processors, load "
         + number(at(all, {"machine", "load_at_start"})) + " when it began and "
         + number(at(all, {"load_at_end"})) + " when it ended (its own included). A write of "
         + number(at(all, {"disk_sync", "bytes"}), 0) + " bytes and its fdatasync take "
         + number(at(all, {"disk_sync", "p50_ms"}), 3) + " ms (p50), "
         + number(at(all, {"disk_sync", "p99_ms"}), 3) + " ms (p99).\n\nValues of "
         + number(at(all, {"value_bytes"}), 0) + " bytes, mutual TLS everywhere; beside it "
         + text({"etcd_version"}) + ", on the same disk in the same run.\n\n"
         + "| voters | outstanding | novacron commits/s | p50 ms | p99 ms | etcd commits/s | p50 "
           "ms "
           "| p99 ms | ratio |\n|---|---|---|---|---|---|---|---|---|\n"
         + load_rows(all)
         + "\nFrom the leader's SIGKILL to the first commit of a write that was sent after it, "
           "three "
           "voters:\n\n| | kills | median ms | longest ms |\n|---|---|---|---|\n"
         + kill_rows(all) + "\n| one voter with " + number(at(all, {"records", "records"}), 0)
         + " VMs | |\n|---|---|\n| memory for 100,000 VMs (a controller's resident memory) | "
         + mebibytes(at(all, {"records", "bytes_for_100000"}))
         + " |\n| from its start to its first commit after SIGKILL, median | "
         + number(at(all, {"records", "restart", "median_ms"}), 0) + " ms |\n| longest | "
         + number(at(all, {"records", "restart", "max_ms"}), 0)
         + " ms |\n\nA follower that came back to "
         + number(at(all, {"snapshot_install", "records"}), 0)
         + " VMs, too far behind for the log, had the state after "
         + number(at(all, {"snapshot_install", "until_caught_up_ms"}), 0) + " ms.\n";
}

} // namespace novacron::bench
