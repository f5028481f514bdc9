#include "replica_group.hpp"

#include <algorithm>
#include <doctest/doctest.h>

namespace novacron {

// -- network -------------------------------------------------------------------------

class memory_network::end_of_line final : public replica_transport {
public:
  end_of_line(memory_network& network, node_id self) : network_{network}, self_{self} {
    // nop
  }

  void send(node_id to, std::vector<std::byte> message) override {
    network_.largest_ = std::max<size_t>(network_.largest_, message.size());
    network_.post({self_, to, std::move(message), {}, {}});
  }

  void fetch(node_id from, const snapshot_chunk_request& what,
             std::function<void(result<snapshot_chunk>)> done) override {
    auto small = what;
    small.limit_bytes = 1024; // so that there are many
    network_.post({self_, from, {}, std::move(small), std::move(done)});
  }

private:
  memory_network& network_;
  node_id self_;
};

memory_network::memory_network() : thread_{[this] { run(); }} {
  // nop
}

memory_network::~memory_network() {
  {
    std::lock_guard guard{mutex_};
    stop_ = true;
  }
  more_.notify_one();
  thread_.join();
}

std::shared_ptr<replica_transport> memory_network::transport_of(node_id node) {
  return std::make_shared<end_of_line>(*this, node);
}

void memory_network::connect(node_id node, replica* to) {
  std::lock_guard waiting{delivering_};
  std::lock_guard guard{mutex_};
  if (to)
    replicas_[node] = to;
  else
    replicas_.erase(node);
}

void memory_network::cut(node_id node) {
  std::lock_guard guard{mutex_};
  cut_.insert(node);
}

void memory_network::heal() {
  std::lock_guard guard{mutex_};
  cut_.clear();
}

void memory_network::post(parcel one) {
  {
    std::lock_guard guard{mutex_};
    parcels_.push_back(std::move(one));
  }
  more_.notify_one();
}

void memory_network::run() {
  for (;;) {
    parcel one;
    {
      std::unique_lock lock{mutex_};
      more_.wait(lock, [&] { return !parcels_.empty() || stop_; });
      if (stop_)
        return;
      one = std::move(parcels_.front());
      parcels_.pop_front();
    }
    deliver(one);
  }
}

void memory_network::deliver(parcel& one) {
  std::lock_guard waiting{delivering_};
  replica* to = nullptr;
  {
    std::lock_guard guard{mutex_};
    const bool reaches = !cut_.contains(one.from) && !cut_.contains(one.to);
    if (auto found = replicas_.find(one.to); reaches && found != replicas_.end())
      to = found->second;
  }
  if (!one.done) {
    if (to)
      to->receive(one.from, one.message);
    return;
  }
  const auto number = ++chunks_;
  beginnings_ += one.chunk.from.empty();
  if (!to || (number >= failing_from_ && number < failing_to_)) {
    one.done(make_failure(storage_errc::cannot_open, "the connection is gone"));
    return;
  }
  one.done(to->read_snapshot(one.chunk));
}

// -- group ---------------------------------------------------------------------------

replica_group::replica_group(uint64_t voters, uint32_t keep_log, uint32_t hold)
    : hold_version{hold}, voters_{voters}, keep_log_{keep_log} {
  for (uint64_t n = 1; n <= voters; ++n)
    open(n);
}

replica_group::~replica_group() {
  while (!replicas_.empty())
    close(replicas_.begin()->first);
}

void replica_group::open(uint64_t n, bool join) {
  auto opened = try_open(n, join);
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
}

void replica_group::open_as_folder_says(uint64_t n, bool join) {
  auto opened = try_open(n, join, 0);
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
}

result<void> replica_group::try_open(uint64_t n, bool join, uint32_t timeline) {
  auto config = test_config(folder(n));
  config.timeline = timeline;
  config.node = node(n);
  config.join = join;
  config.keep_log = keep_log_;
  config.hold_version = hold_version;
  config.election = std::chrono::milliseconds{200};
  config.heartbeat = std::chrono::milliseconds{40};
  config.transport = network.transport_of(node(n));
  for (uint64_t i = 1; i <= voters_; ++i)
    config.founders.push_back(node(i));
  auto opened = replica::open(config);
  if (!opened)
    return opened.error();
  network.connect(node(n), opened->get());
  replicas_[n] = std::move(*opened);
  return {};
}

void replica_group::close(uint64_t n) {
  network.connect(node(n), nullptr);
  replicas_.erase(n);
}

void replica_group::empty(uint64_t n) {
  REQUIRE_FALSE(is_open(n));
  std::filesystem::remove_all(folder(n));
}

uint64_t replica_group::leader() {
  uint64_t leading = 0;
  auto found = [&] {
    uint64_t term = 0;
    leading = 0;
    for (auto& [n, each] : replicas_)
      if (auto status = each->status(); status.leader && status.term > term) {
        leading = n;
        term = status.term;
      }
    return leading != 0;
  };
  REQUIRE_MESSAGE(eventually(found), "nobody leads");
  return leading;
}

uint64_t replica_group::write(command wish) {
  uint64_t revision = 0;
  auto written = [&] {
    auto answer = std::make_shared<awaited<std::vector<command_outcome>>>();
    at(leader()).propose({wish}, [answer](auto each) { answer->set(std::move(each)); });
    auto outcomes = answer->get();
    REQUIRE_MESSAGE(outcomes.has_value(), "a proposal was not answered:" << describe());
    auto outcome = outcomes->at(0);
    revision = outcome.revision;
    return outcome.ok();
  };
  REQUIRE_MESSAGE(eventually(written), "a write was not acknowledged");
  return revision;
}

bool replica_group::agree(uint64_t revision) {
  auto reached = [&] {
    return std::all_of(replicas_.begin(), replicas_.end(),
                       [&](auto& each) { return each.second->status().applied_index >= revision; });
  };
  if (!eventually(reached))
    return false;
  auto same = [&] {
    const auto first = list_all(*replicas_.begin()->second).first;
    return std::all_of(replicas_.begin(), replicas_.end(),
                       [&](auto& each) { return list_all(*each.second).first == first; });
  };
  return eventually(same);
}

result<void> replica_group::change(member_change::kind what, uint64_t n, uint64_t disk) {
  auto answer = std::make_shared<awaited<std::optional<result<void>>>>();
  at(leader()).change_member({what, node(n), disk}, [answer](result<void> became) {
    answer->set(std::optional<result<void>>{std::move(became)});
  });
  auto became = answer->get();
  REQUIRE_MESSAGE(became.has_value(), "a change of the members was not answered:" << describe());
  return **became;
}

std::string replica_group::describe() {
  std::string text;
  for (auto& [n, each] : replicas_) {
    const auto status = each->status();
    text += "\n  node " + std::to_string(n) + (status.leader ? " leads" : "") + ", term "
            + std::to_string(status.term) + ", commit " + std::to_string(status.commit_index)
            + ", applied " + std::to_string(status.applied_index)
            + (status.installing ? ", installing" : "") + status.refused;
    for (const auto& member : status.members)
      text += "; " + std::to_string(member.node.value.low)
              + (member.role == member_role::voter ? " voter" : " standby")
              + (member.online ? " online" : "") + " stored " + std::to_string(member.stored_index);
  }
  return text;
}

bool replica_group::has(uint64_t n, member_role role) {
  return eventually([&] {
    const auto members = at(leader()).status().members;
    return std::any_of(members.begin(), members.end(),
                       [&](auto& x) { return x.node == node(n) && x.role == role; });
  });
}

} // namespace novacron
