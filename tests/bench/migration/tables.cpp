#include "tests/bench/migration/tables.hpp"

#include "tests/bench/figures.hpp"
#include "tests/bench/migration/matrix.hpp"
#include "tests/bench/migration/medians.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <optional>

namespace novacron::bench {

namespace json = boost::json;

namespace {

using figure = std::optional<double>;

std::string shown(figure x, int digits) {
  return number(x ? json::value(*x) : json::value(), digits);
}

figure over(figure part, figure whole) {
  return part && whole && *whole > 0 ? figure{*part / *whole} : std::nullopt;
}

/// The cell of the fastest of QEMU's own ways, with its TLS or without; nothing when none
/// converged.
const cell_rows* best_native(const std::vector<cell_rows>& cells, const cell_rows& like, bool tls) {
  const cell_rows* best = nullptr;
  for (const auto& x : cells)
    if (x.link == like.link && x.workload == like.workload && x.method != "dwcp"
        && x.method.ends_with("-tls") == tls && x.converged()
        && (best == nullptr || x.median("seconds") < best->median("seconds")))
      best = &x;
  return best;
}

std::string line_of(const std::vector<cell_rows>& cells, const cell_rows& x) {
  const auto* native = best_native(cells, x, false);
  const auto* native_tls = best_native(cells, x, true);
  const auto seconds = x.median("seconds");
  const auto bytes = x.median("wire_bytes");
  // Of a migration that didn't end no ratio says anything.
  auto ratio_to = [&](figure part, figure whole) {
    return shown(x.converged() ? over(part, whole) : std::nullopt, 2);
  };
  auto of_native = [&](const std::string& field) {
    return native == nullptr ? std::nullopt : native->median(field);
  };
  // Where the destination has seen nearly all of it the floor is nothing to be compared with.
  const bool has_floor = x.median("floor_bytes").value_or(0) > 1'048'576;
  auto of_floor = [&](figure part, const std::string& field) {
    return ratio_to(part, has_floor ? x.median(field) : figure{});
  };
  const std::string columns[]{
      x.workload,
      x.method,
      std::to_string(x.rows.size()),
      x.converged() ? shown(seconds, 2) : "not in " + shown(seconds, 0),
      shown(x.least("seconds"), 2) + "–" + shown(x.most("seconds"), 2),
      shown(over(bytes, 1'048'576), 1),
      shown(x.median("tick_gap_ms"), 0),
      shown(x.median("cpu_seconds_src"), 1) + " / " + shown(x.median("cpu_seconds_dst"), 1),
      ratio_to(seconds, of_native("seconds")),
      ratio_to(bytes, of_native("wire_bytes")),
      ratio_to(seconds, native_tls == nullptr ? std::nullopt : native_tls->median("seconds")),
      of_floor(seconds, "floor_seconds"),
      of_floor(bytes, "floor_bytes"),
      shown(x.median("qemu_total_ms"), 0) + " / " + shown(x.median("qemu_downtime_ms"), 0)};
  std::string out;
  for (const auto& column : columns)
    out += "| " + column + ' ';
  return out + "|\n";
}

std::string link_text(const json::object& all, const std::string& name) {
  const auto step = "link/" + name;
  const auto* control = at(all, {step, "congestion_control"}).if_string();
  return "\n### " + name + "\n\n" + number(at(all, {step, "rate_mbit_per_s"}), 0)
         + " Mbit/s (0: unlimited), " + number(at(all, {step, "one_way_ms"}), 1)
         + " ms one way; one TCP connection ("
         + (control == nullptr ? std::string{"–"} : std::string{*control}) + ") gets "
         + number(at(all, {step, "tcp_mbit_per_s"}), 0)
         + " Mbit/s of it.\n\n"
           "| workload | method | runs | seconds | range | MiB on the wire | longest tick gap, ms "
           "| CPU s, source / destination | × best native, seconds | bytes | × best with TLS, "
           "seconds "
           "| × floor, seconds | bytes | QEMU's total / downtime, ms |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
}

std::string memory_text(const json::object& all) {
  std::string out = "\n## Floors\n\n| workload | pages not zero | of them distinct | floor |\n"
                    "|---|---|---|---|\n";
  for (const auto& load : workloads()) {
    const auto step = "memory/" + load.name;
    if (all.contains(step))
      out += "| " + load.name + " | " + number(at(all, {step, "nonzero_pages"}), 0) + " | "
             + number(at(all, {step, "distinct_pages"}), 0) + " | "
             + mebibytes(at(all, {step, "floor_bytes"})) + " |\n";
  }
  return out;
}

} // namespace

std::string migration_tables(const json::object& all) {
  auto text = [&](std::initializer_list<std::string> path) {
    const auto* found = at(all, path).if_string();
    return found == nullptr ? std::string{"–"} : std::string{found->data(), found->size()};
  };
  std::string tables;
  double load = 0;
  for (const std::string table : {"pipeline", "product"}) {
    const auto cells = measured_cells(all, table);
    if (!cells.empty())
      tables += table == "pipeline" ? "\n## From QEMU to QEMU\n" : "\n## From libvirt to libvirt\n";
    std::string link;
    for (const auto& x : cells) {
      load = std::max(load, x.most("load_average").value_or(0));
      if (x.link != link)
        tables += link_text(all, link = x.link);
      tables += line_of(cells, x);
    }
  }
  return "# Migrations, measured\n\n`make bench-migration`, begun " + text({"begun"})
         + ", revision " + text({"revision"}) + "; " + text({"machine", "model"}) + ", "
         + number(at(all, {"machine", "processors"}), 0) + " processors; the load was "
         + shown(load, 1)
         + " at most when a row began, its own kind's included. Guests of 512 MiB under TCG. "
           "Medians.\n"
         + tables + memory_text(all);
}

} // namespace novacron::bench
