#include "quorum_lab.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

namespace novacron::test {

using namespace std::chrono_literals;

namespace {

constexpr int writers = 3;
constexpr auto write_every = 30ms;
constexpr auto start_limit = 60s;
constexpr auto catch_up_limit = 30s;

int number_of(const std::string& name) {
  return name.empty() ? 0 : name.back() - '0';
}

} // namespace

quorum_lab::quorum_lab(const std::filesystem::path& program)
    : cluster_lab{true, {"host.vcpus=1024", "host.memory_mib=1000000"}, lab_plan::three_nodes} {
  for (int node = 1; node <= nodes; ++node) {
    if (!program.empty())
      run_from(node, program);
    start(node);
  }
  REQUIRE_MESSAGE(await_hosts(nodes), end_of_log(1));
}

boost::json::value quorum_lab::cluster(int asked) const {
  auto reply = ask_at(asked, "GET", "/api/v1/cluster");
  return reply && reply->ok() ? reply->body : boost::json::value{};
}

int quorum_lab::leader(int asked) const {
  for (const auto& member : members(asked))
    if (field_text(member, "leader") == "true")
      return number_of(field_text(member, "name"));
  return 0;
}

std::vector<boost::json::value> quorum_lab::members(int asked) const {
  const auto answer = cluster(asked);
  const auto* list = field(answer, "members").if_array();
  return list ? std::vector<boost::json::value>{list->begin(), list->end()}
              : std::vector<boost::json::value>{};
}

int quorum_lab::await_leader(int asked) const {
  int found = 0;
  REQUIRE_MESSAGE(becomes_true(start_limit,
                               [&] {
                                 found = leader(asked);
                                 return found != 0;
                               }),
                  end_of_log(asked));
  return found;
}

bool quorum_lab::await_all(int asked) const {
  return becomes_true(catch_up_limit, [&] {
    const auto all = members(asked);
    return all.size() == nodes && std::ranges::all_of(all, [](const auto& each) {
             return field_text(each, "online") == "true" && field_text(each, "lag") == "0";
           });
  });
}

std::string quorum_lab::create(const std::string& name, const std::vector<int>& asked,
                               const std::string& more) const {
  const auto deadline = std::chrono::steady_clock::now() + start_limit;
  for (size_t i = 0; std::chrono::steady_clock::now() < deadline; ++i) {
    auto reply
        = ask_at(asked[i % asked.size()], "POST", "/api/v1/vms", vm_body(name, 16, more), name);
    if (reply && reply->status == 201)
      return field_text(reply->body, "id");
    if (reply && reply->status < 500)
      FAIL(boost::json::serialize(reply->body));
  }
  FAIL("not acknowledged: " << name);
  return {};
}

std::multimap<std::string, std::string> quorum_lab::listed_at(int asked) const {
  std::multimap<std::string, std::string> found;
  std::string cursor;
  do {
    const auto path = "/api/v1/vms?limit=100&consistency=linearizable"
                      + (cursor.empty() ? "" : "&cursor=" + cursor);
    result<client_reply> page = ask_at(asked, "GET", path);
    REQUIRE(becomes_true(start_limit, [&] {
      if (!page || !page->ok())
        page = ask_at(asked, "GET", path);
      return page && page->ok();
    }));
    for (const auto& item : field(page->body, "items").as_array())
      found.emplace(field_text(item, "name"), field_text(item, "id"));
    cursor = field_text(page->body, "next_cursor");
  } while (!cursor.empty());
  return found;
}

std::vector<int> all_but(int node) {
  std::vector<int> others;
  for (int each = 1; each <= nodes; ++each)
    if (each != node)
      others.push_back(each);
  return others;
}

busy_writers::busy_writers(const quorum_lab& lab) {
  for (int each = 0; each < writers; ++each)
    threads_.emplace_back([this, &lab, each] { work(lab, each); });
}

void busy_writers::stop() {
  if (!over_.exchange(true))
    ended_ = clock::now();
  for (auto& each : threads_)
    each.join();
  threads_.clear();
}

std::optional<busy_writers::clock::time_point>
busy_writers::first_sent_after(clock::time_point from) const {
  std::lock_guard lock{mutex_};
  std::optional<clock::time_point> first;
  for (const auto& [sent, acknowledged] : times_)
    if (sent >= from && (!first || acknowledged < *first))
      first = acknowledged;
  return first;
}

std::map<std::string, std::string> busy_writers::acknowledged() const {
  std::lock_guard lock{mutex_};
  return ids_;
}

busy_writers::clock::duration busy_writers::longest_pause() const {
  std::lock_guard lock{mutex_};
  clock::duration longest{0};
  auto last = began_;
  for (const auto& [sent, acknowledged] : times_) {
    longest = std::max(longest, acknowledged - last);
    last = acknowledged;
  }
  return std::max(longest, ended_.value_or(clock::now()) - last);
}

void busy_writers::work(const quorum_lab& lab, int number) {
  for (int i = 0; !over_; ++i) {
    const auto name = "w-" + std::to_string(number) + '-' + std::to_string(i);
    for (int turn = number; !over_; ++turn) {
      const auto sent = clock::now();
      auto reply = lab.ask_at(1 + turn % nodes, "POST", "/api/v1/vms", vm_body(name, 16), name);
      if (!reply || reply->status != 201)
        continue;
      std::lock_guard lock{mutex_};
      ids_[name] = field_text(reply->body, "id");
      times_.emplace_back(sent, clock::now());
      break;
    }
    std::this_thread::sleep_for(write_every); // the span between two writes
  }
}

} // namespace novacron::test
