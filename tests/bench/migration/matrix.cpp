#include "tests/bench/migration/matrix.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace novacron::bench {

using namespace std::chrono_literals;

namespace {

constexpr const char* wan = "100m-50ms";
constexpr const char* still = "novacron.region=1 novacron.dirty=0";

std::string writes(const std::string& mode, int mib_per_s) {
  return "novacron.region=128 novacron.sweep=30 novacron.mode=" + mode
         + " novacron.dirty=" + std::to_string(mib_per_s);
}

/// For cells beyond the plain ones.
bool against_the_best(const cell& x) {
  return x.way->zstd || x.way->pages_by_dwcp;
}

/// What is measured without being asked for.
bool usual(const cell& x) {
  if (x.way->tls && x.load->name != "idle")
    return false;
  if (!x.load->seen.empty() && !against_the_best(x))
    return false;
  static const std::array<std::string, 7> on_wan{"idle",   "comp4", "part4",  "dup4",
                                                 "part12", "home4", "sibling"};
  if (x.link->name == wan)
    return std::ranges::find(on_wan, x.load->name) != on_wan.end();
  return x.load->name == "idle" && x.link->shape.rate_mbit_per_s != 250 && x.link->shape.loss == 0;
}

/// The links beyond the three are for a few workloads and the methods of interest.
bool full_has(const cell& x) {
  if (!x.load->seen.empty() && !against_the_best(x))
    return false;
  if (x.link->shape.rate_mbit_per_s != 250 && x.link->shape.loss == 0)
    return true;
  return (x.load->name == "idle" || x.load->name == "part4") && against_the_best(x);
}

bool fits(const cell& x, const std::string& pattern) {
  const auto first = pattern.find('/');
  const auto second = first == pattern.npos ? first : pattern.find('/', first + 1);
  if (second == pattern.npos)
    throw std::invalid_argument{"not workload/link/method: " + pattern};
  auto one = [](const std::string& wanted, const std::string& name) {
    return wanted == "*" || wanted == name;
  };
  return one(pattern.substr(0, first), x.load->name)
         && one(pattern.substr(first + 1, second - first - 1), x.link->name)
         && one(pattern.substr(second + 1), x.way->name);
}

} // namespace

const std::vector<workload>& workloads() {
  static const std::vector<workload> all{
      {"idle", still},
      {"comp4", writes("text", 4)},
      {"part4", writes("part", 4)},
      {"dup4", writes("dup", 4)},
      {"rand4", writes("rand", 4)},
      {"comp12", writes("text", 12)},
      {"part12", writes("part", 12)},
      {"home4", writes("part", 4), {"home4"}},
      {"sibling", still, {"idle", "comp4"}},
  };
  return all;
}

const std::vector<named_link>& links() {
  static const std::vector<named_link> all{
      {wan, {.rate_mbit_per_s = 100, .delay = 25ms}},
      {"1g-1ms", {.rate_mbit_per_s = 1'000, .delay = 500us}},
      {"unlimited", {}},
      {"250m-150ms", {.rate_mbit_per_s = 250, .delay = 75ms}},
      {"100m-50ms-loss", {.rate_mbit_per_s = 100, .delay = 25ms, .loss = 0.001}},
  };
  return all;
}

const std::vector<method>& methods() {
  static const std::vector<method> all{
      {"tcp", {}},
      {"multifd", {"multifd"}},
      {"multifd-zstd", {"multifd"}, true},
      {"xbzrle", {"xbzrle"}},
      {.name = "tcp-tls", .tls = true},
      {.name = "multifd-zstd-tls", .capabilities = {"multifd"}, .zstd = true, .tls = true},
      {"dwcp", {}, false, true},
  };
  return all;
}

std::vector<cell> chosen_cells(bool full, const std::vector<std::string>& only) {
  std::vector<cell> out;
  for (const auto& link : links())
    for (const auto& load : workloads())
      for (const auto& way : methods()) {
        const cell x{&load, &link, &way};
        const auto named = std::ranges::any_of(only, [&](const auto& p) { return fits(x, p); });
        if (only.empty() ? (full ? full_has(x) : usual(x)) : named)
          out.push_back(x);
      }
  if (out.empty())
    throw std::invalid_argument{"nothing is chosen"};
  return out;
}

} // namespace novacron::bench
