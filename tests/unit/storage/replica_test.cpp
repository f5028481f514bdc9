#include "test_replica.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <future>

using namespace novacron;

TEST_CASE("a single voter leads at once, and what it acknowledges is there after a restart") {
  scratch_folder folder;
  auto config = test_config(folder / "state");
  std::vector<any_record> before;
  std::vector<lease_record> leases;
  uint64_t revision = 0;
  {
    auto one = open_replica(config);
    CHECK(one->status().leader);
    CHECK(one->status().voters == 1);
    CHECK(one->status().timeline == 1);
    CHECK(propose(*one, {register_test_host(1), register_test_host(2)}).size() == 2);
    for (uint64_t n = 1; n <= 20; ++n) {
      auto outcome = propose(*one, {create_test_vm(n)}).at(0);
      REQUIRE_MESSAGE(outcome.ok(), outcome.detail);
      CHECK(outcome.revision == one->status().applied_index);
    }
    auto renewed = propose(*one, renew_lease{test_host(1), test_boot, std::chrono::seconds{5}});
    leases = one->leases();
    CHECK(leases == std::vector{renewed.lease});
    std::tie(before, revision) = list_all(*one);
    CHECK(before.size() == 2 + 20 + 20);
  }
  auto again = open_replica(config);
  awaited<uint64_t> applied;
  again->read_barrier([&](result<uint64_t> x) { applied.set(x.value()); });
  CHECK(applied.get() == revision);
  CHECK(list_all(*again) == std::pair{before, revision});
  CHECK(again->leases() == leases);
  auto outcome = propose(*again, {create_test_vm(21)}).at(0);
  CHECK(outcome.ok());
  CHECK(outcome.revision > revision);
}

TEST_CASE("an Idempotency-Key is remembered across a restart") {
  scratch_folder folder;
  command_outcome first;
  {
    auto one = open_replica(test_config(folder.path()));
    propose(*one, {register_test_host(1)});
    first = propose(*one, {create_test_vm(1, 1, "key")}).at(0);
    CHECK(first.ok());
  }
  auto again = open_replica(test_config(folder.path()));
  auto repeated = propose(*again, {create_test_vm(1, 1, "key")}).at(0);
  CHECK(repeated.repeated);
  repeated.repeated = false;
  CHECK(repeated == first);
}

TEST_CASE("proposals that wait together share entries, each gets its own outcomes") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  propose(*one, {register_test_host(1)});
  // Holds the replica's thread, so that all proposals wait together.
  std::promise<void> go;
  auto released = go.get_future().share();
  one->read_barrier([released](auto&&) { released.wait(); });
  constexpr uint64_t proposals = 600;
  std::vector<awaited<std::vector<command_outcome>>> answers(proposals);
  for (uint64_t n = 0; n < proposals; ++n)
    one->propose({create_test_vm(2 * n), create_test_vm(2 * n + 1)},
                 [&answers, n](auto outcomes) { answers[n].set(std::move(outcomes)); });
  go.set_value();
  std::map<uint64_t, size_t> commands_of;
  for (uint64_t n = 0; n < proposals; ++n) {
    auto outcomes = answers[n].get();
    REQUIRE(outcomes);
    REQUIRE(outcomes->size() == 2);
    for (uint64_t k = 0; k < 2; ++k) {
      CHECK((*outcomes)[k].ok());
      CHECK((*outcomes)[k].vm == test_vm(2 * n + k));
      ++commands_of[(*outcomes)[k].revision];
    }
  }
  CHECK(commands_of.size() < 30);
  for (auto [revision, commands] : commands_of)
    CHECK(commands <= 256);
}

TEST_CASE("what exceeds the queue is refused, and room comes back") {
  scratch_folder folder;
  auto config = test_config(folder.path());
  config.max_queued_bytes = 20'000;
  auto one = open_replica(config);
  propose(*one, {register_test_host(1)});
  std::promise<void> go;
  auto released = go.get_future().share();
  one->read_barrier([released](auto&&) { released.wait(); });
  constexpr uint64_t proposals = 100;
  std::vector<awaited<command_outcome>> answers(proposals);
  for (uint64_t n = 0; n < proposals; ++n)
    one->propose({create_test_vm(n)},
                 [&answers, n](auto outcomes) { answers[n].set(outcomes.at(0)); });
  go.set_value();
  size_t accepted = 0;
  size_t refused = 0;
  for (auto& each : answers) {
    auto outcome = each.get();
    REQUIRE(outcome);
    accepted += outcome->ok();
    refused += outcome->error == command_errc::overloaded;
  }
  CHECK(accepted > 10);
  CHECK(refused > 10);
  CHECK(accepted + refused == proposals);
  CHECK(propose(*one, {create_test_vm(1000)}).at(0).ok());
}

TEST_CASE("a proposal that is too large for an entry is refused with the remedy") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  auto outcomes = propose(*one, std::vector<command>(1000, create_test_vm(1)));
  REQUIRE(outcomes.size() == 1000);
  CHECK(outcomes[999].error == command_errc::overloaded);
  CHECK(outcomes[999].detail.find("split it") != std::string::npos);
  CHECK(propose(*one, std::vector<command>{}).empty());
}

TEST_CASE("whatever waits when a replica stops is answered, once") {
  scratch_folder folder;
  std::atomic<int> answers{0};
  {
    auto one = open_replica(test_config(folder.path()));
    propose(*one, {register_test_host(1)});
    for (uint64_t n = 0; n < 500; ++n)
      one->propose({create_test_vm(n)}, [&](auto) { ++answers; });
    one->read_barrier([&](auto&&) { ++answers; });
  }
  CHECK(answers == 501);
}

TEST_CASE("what is proposed while the replica stops is answered, however much it is") {
  constexpr int much = 100;
  auto wish = create_test_vm(1);
  std::get<create_vm>(wish.body).spec.kernel_arguments = std::string(50'000, 'x');
  std::atomic<int> asked{0};
  std::atomic<int> answers{0};
  for (int i = 0; asked == 0 && i < 20; ++i) { // unless all was stored in time
    scratch_folder folder;
    auto one = open_replica(test_config(folder.path()));
    auto ask_more = [&, engine = one.get()](const std::vector<command_outcome>& each) {
      if (each.at(0).error != command_errc::unknown_outcome || asked != 0)
        return;
      while (asked < much && ++asked)
        engine->propose({wish}, [&](auto&&) { ++answers; });
    };
    for (int n = 0; n < 500; ++n)
      one->propose({register_test_host(1)}, ask_more);
  }
  CHECK(asked == much);
  CHECK(answers == much);
}

TEST_CASE("a read barrier waits for the log that was found at the start") {
  scratch_folder folder;
  uint64_t last = 0;
  {
    auto one = open_replica(test_config(folder.path()));
    propose(*one, {register_test_host(1)});
    last = propose(*one, {create_test_vm(1)}).at(0).revision;
  }
  auto again = open_replica(test_config(folder.path()));
  awaited<uint64_t> applied;
  again->read_barrier([&](result<uint64_t> x) { applied.set(x.value()); });
  CHECK(applied.get() >= last);
}

TEST_CASE("the listener hears of each revision that changed something, after it can be read") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  std::atomic<uint64_t> heard{0};
  std::atomic<bool> early{false};
  one->on_applied([&](uint64_t revision) {
    pull_request request;
    request.after = heard;
    if (one->changes_after(request).value().revision < revision)
      early = true;
    heard = revision;
  });
  auto first = propose(*one, {register_test_host(1)}).at(0).revision;
  CHECK(eventually([&] { return heard == first; }));
  propose(*one, barrier{});
  auto second = propose(*one, {create_test_vm(1)}).at(0).revision;
  CHECK(eventually([&] { return heard == second; }));
  CHECK_FALSE(early);
}

TEST_CASE("the log is cut behind the state, and a restart needs no more") {
  scratch_folder folder;
  auto config = test_config(folder.path());
  config.keep_log = 20;
  std::vector<any_record> before;
  {
    auto one = open_replica(config);
    propose(*one, {register_test_host(1)});
    for (uint64_t n = 0; n < 200; ++n)
      REQUIRE(propose(*one, {create_test_vm(n)}).at(0).ok());
    before = list_all(*one).first;
  }
  {
    auto again = open_replica(config);
    REQUIRE(propose(*again, {create_test_vm(200)}).at(0).ok());
    CHECK(list_all(*again).first.size() == before.size() + 2);
    for (uint64_t n = 201; n < 300; ++n)
      REQUIRE(propose(*again, {create_test_vm(n)}).at(0).ok());
    before = list_all(*again).first;
  }
  auto third = open_replica(config);
  REQUIRE(propose(*third, barrier{}).ok());
  CHECK(list_all(*third).first == before);
}

TEST_CASE("the proposer's clock stamps the records, and never takes them back") {
  scratch_folder folder;
  auto config = test_config(folder.path());
  std::atomic<int64_t> now{5'000'000};
  config.clock = [&] { return log_time{std::chrono::milliseconds{now.load()}}; };
  auto created = [](replica& of, uint64_t n) {
    auto [records, revision] = list_all(of);
    for (const auto& each : records)
      if (auto vm = std::get_if<vm_record>(&each); vm && vm->id == test_vm(n))
        return vm->created.time_since_epoch().count();
    return int64_t{0};
  };
  {
    auto one = open_replica(config);
    propose(*one, {register_test_host(1), create_test_vm(1)});
    CHECK(created(*one, 1) == 5'000'000);
  }
  now = 4'000'000;
  auto again = open_replica(config);
  propose(*again, {create_test_vm(2)});
  CHECK(created(*again, 2) == 5'000'000);
}
