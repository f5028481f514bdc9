#include "actors/peer/node_roster.hpp"

#include "messages/durable_file.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace novacron {

namespace {

constexpr std::string_view removed_word = "removed";
constexpr std::string_view controller_word = "controller";

bool is_controller(const node_record& node) {
  return std::ranges::find(node.roles, node_role::controller) != node.roles.end();
}

} // namespace

node_roster::node_roster(std::filesystem::path file) : file_{std::move(file)} {
  std::ifstream in{file_};
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream words{line};
    std::string what;
    std::string id;
    std::string where;
    words >> what >> id >> where;
    const auto node = parse_uuid(id);
    if (!node || node->nil())
      continue;
    if (what == removed_word)
      removed_.insert(node_id{*node});
    else if (auto door = parse_address(where); what == controller_word && door)
      controllers_.insert_or_assign(node_id{*node}, *door);
  }
}

bool node_roster::removed(node_id node) const {
  std::lock_guard lock{mutex_};
  return removed_.contains(node);
}

std::vector<known_controller> node_roster::controllers() const {
  std::lock_guard lock{mutex_};
  std::vector<known_controller> all;
  for (const auto& [node, door] : controllers_)
    all.push_back({node, door});
  return all;
}

void node_roster::put(const node_record& node) {
  std::lock_guard lock{mutex_};
  if (node.wish == member_wish::removed) {
    saved_ &= !removed_.insert(node.id).second;
    saved_ &= controllers_.erase(node.id) == 0;
    return;
  }
  const auto door = parse_address(node.mesh_address);
  if (!is_controller(node) || !door || removed_.contains(node.id))
    return;
  auto [at, fresh] = controllers_.try_emplace(node.id, *door);
  if (!fresh && at->second == *door)
    return;
  at->second = *door;
  saved_ = false;
}

std::string node_roster::text() const {
  std::string out;
  for (const auto& node : removed_)
    out += std::string{removed_word} + ' ' + to_string(node) + '\n';
  for (const auto& [node, door] : controllers_)
    out += std::string{controller_word} + ' ' + to_string(node) + ' ' + to_string(door) + '\n';
  return out;
}

bool node_roster::save() {
  std::string content;
  {
    std::lock_guard lock{mutex_};
    if (saved_ || file_.empty())
      return true;
    content = text();
    saved_ = true;
  }
  const bool good = replace_durable_file(file_, content, 0644);
  if (!good) {
    std::lock_guard lock{mutex_};
    saved_ = false;
  }
  return good;
}

} // namespace novacron
