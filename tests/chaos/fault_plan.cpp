#include "fault_plan.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <toml++/toml.h>

namespace novacron::chaos {

namespace {

const std::map<std::string, fault_deed, std::less<>> deeds{
    {"kill_actors", fault_deed::kill_actors},
    {"kill_node", fault_deed::kill_node},
    {"kill_machine", fault_deed::kill_machine},
    {"kill_fencer", fault_deed::kill_fencer},
    {"kill_libvirtd", fault_deed::kill_libvirtd},
    {"kill_qemu", fault_deed::kill_qemu},
    {"kill_cluster", fault_deed::kill_cluster},
    {"host_off", fault_deed::host_off},
    {"freeze", fault_deed::freeze},
    {"links", fault_deed::links},
    {"fill_disk", fault_deed::fill_disk},
    {"slow_disk", fault_deed::slow_disk},
    {"press_memory", fault_deed::press_memory},
};
const std::map<std::string, fault_target, std::less<>> targets{
    {"any", fault_target::any},
    {"leader", fault_target::leader},
    {"follower", fault_target::follower},
    {"controller", fault_target::controller},
    {"controllers", fault_target::controllers},
    {"gateway", fault_target::gateway},
    {"real", fault_target::real},
    {"simulated", fault_target::simulated},
    {"most_ha", fault_target::most_ha},
    {"small_disk", fault_target::small_disk},
    {"all", fault_target::all},
};
const std::map<std::string, fault_way, std::less<>> ways{
    {"both", fault_way::both}, {"in", fault_way::in}, {"out", fault_way::out}};
const std::map<std::string, recovery_sign, std::less<>> signs{
    {"writes", recovery_sign::writes},   {"whole", recovery_sign::whole},
    {"settled", recovery_sign::settled}, {"returned", recovery_sign::returned},
    {"fenced", recovery_sign::fenced},   {"elsewhere", recovery_sign::elsewhere}};

/// One table; every key must be asked for.
class fault_table {
public:
  fault_table(const toml::table& table, std::string source)
      : table_{table}, source_{std::move(source)} {
    // nop
  }

  [[noreturn]] void wrong(const std::string& what) const {
    const auto name = table_["name"].value<std::string>();
    throw std::runtime_error{source_ + ": fault \"" + name.value_or("?") + "\": " + what};
  }

  std::string text(std::string_view key) {
    known_.emplace_back(key);
    return table_[key].value<std::string>().value_or("");
  }

  uint64_t number(std::string_view key, uint64_t otherwise) {
    known_.emplace_back(key);
    if (!table_.contains(key))
      return otherwise;
    const auto value = table_[key].value_exact<int64_t>();
    if (!value || *value < 0)
      wrong(std::string{key} + " must be a whole number");
    return static_cast<uint64_t>(*value);
  }

  std::chrono::milliseconds ms(std::string_view key) {
    return std::chrono::milliseconds{number(key, 0)};
  }

  bool flag(std::string_view key) {
    known_.emplace_back(key);
    return table_[key].value<bool>().value_or(false);
  }

  template <class T>
  T choice(std::string_view key, const std::map<std::string, T, std::less<>>& from, T otherwise) {
    const auto word = text(key);
    if (word.empty())
      return otherwise;
    const auto found = from.find(word);
    if (found == from.end())
      wrong(std::string{key} + " = \"" + word + "\" is unknown");
    return found->second;
  }

  void finish() const {
    for (const auto& [key, value] : table_)
      if (std::ranges::find(known_, key.str()) == known_.end())
        wrong("unknown key " + std::string{key.str()});
  }

private:
  const toml::table& table_;
  std::string source_;
  std::vector<std::string> known_;
};

fault read_fault(fault_table table) {
  fault x;
  x.name = table.text("name");
  if (x.name.empty())
    table.wrong("it has no name");
  if (table.text("do").empty())
    table.wrong("`do` is missing");
  x.deed = table.choice("do", deeds, x.deed);
  x.target = table.choice("who", targets, x.target);
  x.recovered = table.choice("recovered", signs, x.recovered);
  x.lasts = table.ms("lasts_ms");
  x.short_lasts = table.ms("short_ms");
  x.within = table.ms("within_ms");
  x.runs = static_cast<unsigned>(table.number("runs", 1));
  x.count = static_cast<unsigned>(table.number("count", 1));
  x.short_count = static_cast<unsigned>(table.number("short_count", x.count));
  x.real = table.flag("real");
  x.way = table.choice("way", ways, x.way);
  x.condition.held = table.flag("held");
  x.condition.delay = table.ms("delay_ms");
  x.condition.jitter = table.ms("jitter_ms");
  x.condition.loss_percent = static_cast<unsigned>(table.number("loss_percent", 0));
  x.condition.bytes_per_second = table.number("bytes_per_second", 0);
  x.flap = table.ms("flap_ms");
  x.sync = table.ms("sync_ms");
  if (x.deed == fault_deed::links && x.condition == link_condition{})
    table.wrong("it does nothing to the links");
  if (x.deed == fault_deed::slow_disk && x.sync.count() == 0)
    table.wrong("sync_ms is missing");
  const bool away = x.deed == fault_deed::host_off || cuts_off(x);
  if ((x.recovered == recovery_sign::returned) != (x.deed == fault_deed::kill_actors))
    table.wrong("actors return, each by itself, and nobody else does");
  if (displaces_guests(x) && !away)
    table.wrong("it displaces no guests: nobody is off, or cut off for good");
  if (displaces_guests(x) && x.target != fault_target::real && x.target != fault_target::most_ha)
    table.wrong("it displaces no guests: `who` is no host");
  table.finish();
  return x;
}

} // namespace

std::vector<fault> parse_faults(std::string_view text, const std::string& source) {
  std::vector<fault> all;
  try {
    const auto read = toml::parse(text, source);
    const auto* tables = read["fault"].as_array();
    for (size_t i = 0; tables && i < tables->size(); ++i)
      if (const auto* table = tables->get(i)->as_table())
        all.push_back(read_fault({*table, source}));
  } catch (const toml::parse_error& error) {
    std::ostringstream where;
    where << source << ':' << error.source().begin.line << ": " << error.description();
    throw std::runtime_error{where.str()};
  }
  if (all.empty())
    throw std::runtime_error{source + ": it holds no [[fault]]"};
  return all;
}

std::vector<fault> read_faults(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in)
    throw std::runtime_error{file.string() + ": it can't be read"};
  return parse_faults(std::string{std::istreambuf_iterator<char>{in}, {}}, file.string());
}

std::vector<fault> in_order(const std::vector<fault>& all, const plan_size& size,
                            std::mt19937_64& random) {
  std::vector<fault> order;
  // Each once first, so that a run that has to end early has seen them all.
  for (unsigned round = 0;; ++round) {
    std::vector<fault> turn;
    for (const auto& each : all)
      if ((!each.real || size.real) && round < (size.short_form ? 1U : each.runs))
        turn.push_back(each);
    if (turn.empty())
      return order;
    std::ranges::shuffle(turn, random);
    order.insert(order.end(), turn.begin(), turn.end());
  }
}

std::vector<fault_pair> host_and_controller(const std::vector<fault>& all, const plan_size& size,
                                            std::mt19937_64& random) {
  constexpr int times_of_each = 2;
  std::vector<fault_pair> pairs;
  for (const auto& host : all)
    for (const auto& other : all)
      if (host.deed == fault_deed::host_off && other.deed == fault_deed::kill_node
          && (other.target == fault_target::leader || other.target == fault_target::follower))
        pairs.insert(pairs.end(), times_of_each, {host, other});
  std::ranges::shuffle(pairs, random);
  if (size.short_form && pairs.size() > 1)
    pairs.erase(pairs.begin() + 1, pairs.end());
  return pairs;
}

std::chrono::milliseconds duration(const fault& x, const plan_size& size) {
  return size.short_form && x.short_lasts.count() > 0 ? x.short_lasts : x.lasts;
}

} // namespace novacron::chaos
