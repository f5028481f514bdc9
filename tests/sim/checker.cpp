#include "checker.hpp"

#include <algorithm>
#include <iterator>

namespace novacron::sim {

namespace {

std::string at(uint64_t node, uint64_t index) {
  return " (node " + std::to_string(node) + ", index " + std::to_string(index) + ")";
}

} // namespace

void checker::leads(uint64_t node, uint64_t term) {
  trace(1 + node * 31 + term * 1009);
  auto [known, fresh] = leaders_.emplace(term, node);
  if (known->second != node)
    throw broken("two leaders in term " + std::to_string(term) + ": nodes "
                 + std::to_string(known->second) + " and " + std::to_string(node));
}

void checker::votes(uint64_t node, uint64_t term, uint64_t candidate) {
  auto [known, fresh] = votes_.emplace(std::pair{node, term}, candidate);
  if (known->second != candidate)
    throw broken("node " + std::to_string(node) + " voted twice in term " + std::to_string(term)
                 + ": for " + std::to_string(known->second) + " and " + std::to_string(candidate));
}

void checker::acknowledges(uint64_t node, uint64_t index, uint64_t durable) {
  if (index > durable)
    throw broken("acknowledged what isn't stored" + at(node, index));
}

void checker::applies(uint64_t node, uint64_t index, uint64_t contents, uint64_t state,
                      uint64_t durable) {
  trace(2 + node * 31 + index * 1009 + state);
  if (index > durable)
    throw broken("applied what isn't stored" + at(node, index));
  auto [known, fresh] = applied_.emplace(index, applied_entry{contents, state});
  if (known->second.contents != contents)
    throw broken("replicas applied different entries" + at(node, index));
  if (known->second.state != state)
    throw broken("equal entries made different states" + at(node, index));
}

void checker::restores(uint64_t node, uint64_t index, uint64_t state) {
  trace(3 + node * 31 + index * 1009 + state);
  auto known = applied_.find(index);
  if (known == applied_.end() || known->second.state != state)
    throw broken("a snapshot isn't what the log makes" + at(node, index));
}

std::optional<uint64_t> checker::contents_at(uint64_t index) const {
  auto known = applied_.find(index);
  return known == applied_.end() ? std::nullopt : std::optional{known->second.contents};
}

void checker::log_lost_after(uint64_t held) {
  applied_.erase(applied_.upper_bound(held), applied_.end());
  leaders_.clear();
  votes_.clear();
  last_acknowledged_ = std::min(last_acknowledged_, held);
}

void checker::asks(uint64_t proposal) {
  open_.insert(proposal);
}

void checker::ends(uint64_t proposal) {
  if (open_.erase(proposal) == 0)
    throw broken("proposal " + std::to_string(proposal) + " was answered twice");
}

void checker::acknowledged(uint64_t proposal, uint64_t index) {
  ends(proposal);
  if (!applied_.contains(index))
    throw broken("proposal " + std::to_string(proposal) + " was acknowledged, not applied");
  last_acknowledged_ = std::max(last_acknowledged_, index);
}

void checker::at_the_end(uint64_t node, uint64_t last, uint64_t state) const {
  if (last < last_acknowledged_)
    throw violation{"an acknowledged command is lost" + at(node, last_acknowledged_)};
  auto known = applied_.upper_bound(last);
  if (known == applied_.begin())
    return;
  if (std::prev(known)->second.state != state)
    throw violation{"replicas end with different states" + at(node, last)};
}

void checker::everything_ended() const {
  if (!open_.empty())
    throw violation{std::to_string(open_.size()) + " proposals were never answered; the first is "
                    + std::to_string(*open_.begin())};
}

} // namespace novacron::sim
