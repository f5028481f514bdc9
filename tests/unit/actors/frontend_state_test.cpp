#include "frontend_effects.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const frontend_state::time_point start{1h};
const node_id first_host{{0, 1}};
const node_id second_host{{0, 2}};

command wish(uint64_t vm) {
  request_state body;
  body.vm.value.low = vm;
  return {body, {}};
}

command report(uint64_t sequence) {
  host_report body;
  body.sequence = sequence;
  return {body, {}};
}

command create(uint64_t vm, std::string key = {}) {
  create_vm body;
  body.vm.value.low = vm;
  return {body, {"someone", std::move(key), {}}};
}

command migrate(uint64_t vm) {
  reserve_migration body;
  body.vm.value.low = vm;
  return {body, {}};
}

/// A create that fills a batch of 4 KiB.
command large(uint64_t vm) {
  auto out = create(vm);
  auto& body = std::get<create_vm>(out.body);
  body.host = first_host;
  body.spec.kernel_arguments = std::string(5'000, 'x');
  return out;
}

uint64_t vm_of(const command& x) {
  return std::get<request_state>(x.body).vm.value.low;
}

outcomes all_good(size_t count, uint64_t revision = 5) {
  command_outcome good;
  good.revision = revision;
  return {{count, good}};
}

outcomes refused(command_errc error) {
  command_outcome outcome;
  outcome.error = error;
  return {{outcome}};
}

template <class Effect>
Effect the(const frontend_state::effects& effects) {
  auto some = all<Effect>(effects);
  REQUIRE(some.size() == 1);
  return some.front();
}

} // namespace

TEST_CASE("a lone command is proposed at once") {
  frontend_state frontend;
  auto batch = the<propose_batch>(frontend.submitted(1, {{wish(7)}}, start));
  CHECK(batch.commands.commands.size() == 1);
  auto answer = the<answer_proposal>(frontend.applied(batch.batch, all_good(1), start));
  CHECK(answer.ticket == 1);
  CHECK(answer.answer.each.front().revision == 5);
}

TEST_CASE("commands that come while a batch is in flight share the next one") {
  frontend_state frontend;
  auto first = the<propose_batch>(frontend.submitted(1, {{wish(1)}}, start));
  CHECK(frontend.submitted(2, {{wish(2)}}, start).empty());
  CHECK(frontend.submitted(3, {{wish(3)}}, start).empty());
  auto effects = frontend.applied(first.batch, all_good(1), start);
  CHECK(the<propose_batch>(effects).commands.commands.size() == 2);
}

TEST_CASE("a batch waits two milliseconds, no longer, for the one in flight") {
  frontend_state frontend;
  frontend.submitted(1, {{wish(1)}}, start);
  frontend.submitted(2, {{wish(2)}}, start);
  CHECK(frontend.wake() == start + 2ms);
  CHECK(frontend.tick(start + 1ms).empty());
  CHECK(all<propose_batch>(frontend.tick(start + 2ms)).size() == 1);
}

TEST_CASE("a full batch doesn't wait") {
  frontend_state frontend{{.batch_commands = 3}};
  frontend.submitted(1, {{wish(1)}}, start);
  frontend.submitted(2, {{wish(2)}}, start);
  frontend.submitted(3, {{wish(3)}}, start);
  CHECK(the<propose_batch>(frontend.submitted(4, {{wish(4)}}, start)).commands.commands.size()
        == 3);
}

TEST_CASE("a batch is full by its bytes, too") {
  frontend_state frontend{{.batch_bytes = 4'096}};
  frontend.submitted(1, {{wish(1)}}, start);
  CHECK(all<propose_batch>(frontend.submitted(2, {{large(2)}}, start)).size() == 1);
}

TEST_CASE("no more batches are in flight than allowed") {
  frontend_state frontend{{.batch_commands = 1, .most_batches = 2}};
  CHECK(all<propose_batch>(frontend.submitted(1, {{wish(1)}}, start)).size() == 1);
  CHECK(all<propose_batch>(frontend.submitted(2, {{wish(2)}}, start)).size() == 1);
  CHECK(frontend.submitted(3, {{wish(3)}}, start).empty());
  CHECK(frontend.tick(start + 1s).empty());
}

TEST_CASE("each caller gets the outcomes of its own commands, in its order") {
  frontend_state frontend;
  auto first = the<propose_batch>(frontend.submitted(1, {{wish(1)}}, start));
  frontend.submitted(2, {{wish(21), wish(22)}}, start);
  frontend.submitted(3, {{wish(31)}}, start);
  auto batch = the<propose_batch>(frontend.applied(first.batch, all_good(1), start));
  outcomes marked;
  for (const auto& each : batch.commands.commands) {
    command_outcome outcome;
    outcome.revision = vm_of(each);
    marked.each.push_back(outcome);
  }
  auto answers = all<answer_proposal>(frontend.applied(batch.batch, marked, start));
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].ticket == 2);
  CHECK(answers[0].answer.each[0].revision == 21);
  CHECK(answers[0].answer.each[1].revision == 22);
  CHECK(answers[1].answer.each[0].revision == 31);
}

TEST_CASE("hosts' commands go ahead of clients'") {
  frontend_state frontend;
  auto first = the<propose_batch>(frontend.submitted(1, {{wish(1)}}, start));
  frontend.submitted(2, {{wish(2)}}, start);
  frontend.submitted(3, {{report(1)}}, start);
  auto batch = the<propose_batch>(frontend.applied(first.batch, all_good(1), start));
  CHECK(std::holds_alternative<host_report>(batch.commands.commands.front().body));
}

TEST_CASE("a flood of clients' commands is refused, hosts' are not") {
  frontend_state frontend{{.most_commands = 2}};
  frontend.submitted(1, {{wish(1)}}, start);
  frontend.submitted(2, {{wish(2)}}, start);
  auto refusal = the<answer_proposal>(frontend.submitted(3, {{wish(3)}}, start));
  CHECK(refusal.answer.each.front().error == command_errc::overloaded);
  CHECK(all<answer_proposal>(frontend.submitted(4, {{report(1)}}, start)).empty());
}

TEST_CASE("room comes back with the answers") {
  frontend_state frontend{{.most_commands = 1}};
  auto batch = the<propose_batch>(frontend.submitted(1, {{wish(1)}}, start));
  frontend.applied(batch.batch, all_good(1), start);
  CHECK(all<propose_batch>(frontend.submitted(2, {{wish(2)}}, start)).size() == 1);
}

TEST_CASE("a command that waited past its caller's patience is refused, not proposed") {
  frontend_state frontend{{.most_batches = 1}};
  auto stuck = the<propose_batch>(frontend.submitted(1, {{wish(1)}}, start));
  frontend.submitted(2, {{wish(2)}}, start);
  auto refusal = the<answer_proposal>(frontend.tick(start + 5s));
  CHECK(refusal.ticket == 2);
  CHECK(refusal.answer.each.front().error == command_errc::overloaded);
  auto effects = frontend.applied(stuck.batch, all_good(1), start + 5s);
  CHECK(all<propose_batch>(effects).empty());
}

TEST_CASE("a replica that doesn't answer leaves the outcome unknown") {
  frontend_state frontend;
  auto batch = the<propose_batch>(frontend.submitted(1, {{wish(1), wish(2)}}, start));
  auto answer = the<answer_proposal>(frontend.not_answered(batch.batch, start));
  REQUIRE(answer.answer.each.size() == 2);
  CHECK(answer.answer.each[1].error == command_errc::unknown_outcome);
}

TEST_CASE("an answer with another number of outcomes is worth nothing") {
  frontend_state frontend;
  auto batch = the<propose_batch>(frontend.submitted(1, {{wish(1), wish(2)}}, start));
  auto answer = the<answer_proposal>(frontend.applied(batch.batch, all_good(1), start));
  CHECK(answer.answer.each[0].error == command_errc::unknown_outcome);
}

TEST_CASE("a create without a host is placed before it is proposed") {
  frontend_state frontend;
  auto question = the<ask_scheduler>(frontend.submitted(1, {{create(7)}}, start));
  CHECK(question.request.vm.value.low == 7);
  CHECK(!question.request.migration);
  auto batch = the<propose_batch>(frontend.placed(question.question, {first_host, {}}, start));
  CHECK(std::get<create_vm>(batch.commands.commands.front().body).host == first_host);
}

TEST_CASE("a create with a host is proposed as it is") {
  frontend_state frontend;
  auto placed = create(7);
  std::get<create_vm>(placed.body).host = second_host;
  CHECK(all<propose_batch>(frontend.submitted(1, {{placed}}, start)).size() == 1);
}

TEST_CASE("a create that fits nowhere is refused with what is missing") {
  frontend_state frontend;
  auto question = the<ask_scheduler>(frontend.submitted(1, {{create(7)}}, start));
  auto answer = the<answer_proposal>(frontend.placed(question.question, {{}, "1 MiB"}, start));
  CHECK(answer.answer.each.front().error == command_errc::no_capacity);
  CHECK(answer.answer.each.front().detail == "1 MiB");
}

TEST_CASE("a repeated create gets its first answer though nothing fits any more") {
  frontend_state frontend;
  auto question = the<ask_scheduler>(frontend.submitted(1, {{create(7, "key")}}, start));
  auto batch = the<propose_batch>(frontend.placed(question.question, {{}, "1 MiB"}, start));
  auto answer = the<answer_proposal>(frontend.applied(batch.batch, all_good(1, 3), start));
  CHECK(answer.answer.each.front().ok());
  // Had it been the first, it would have been refused for want of room.
  question = the<ask_scheduler>(frontend.submitted(2, {{create(8, "other")}}, start));
  batch = the<propose_batch>(frontend.placed(question.question, {{}, "1 MiB"}, start));
  answer = the<answer_proposal>(
      frontend.applied(batch.batch, refused(command_errc::unknown_host), start));
  CHECK(answer.answer.each.front().error == command_errc::no_capacity);
  CHECK(answer.answer.each.front().detail == "1 MiB");
}

TEST_CASE("a place that is taken when it is applied is chosen anew, elsewhere, twice") {
  frontend_state frontend;
  auto question = the<ask_scheduler>(frontend.submitted(1, {{create(7)}}, start));
  for (int i = 0; i < 2; ++i) {
    auto batch = the<propose_batch>(frontend.placed(question.question, {first_host, {}}, start));
    question = the<ask_scheduler>(
        frontend.applied(batch.batch, refused(command_errc::no_capacity), start));
    CHECK(question.request.except == first_host);
  }
  auto batch = the<propose_batch>(frontend.placed(question.question, {first_host, {}}, start));
  auto answer = the<answer_proposal>(
      frontend.applied(batch.batch, refused(command_errc::no_capacity), start));
  CHECK(answer.answer.each.front().error == command_errc::no_capacity);
}

TEST_CASE("a host that the caller named is not replaced") {
  frontend_state frontend;
  auto named = create(7);
  std::get<create_vm>(named.body).host = second_host;
  auto batch = the<propose_batch>(frontend.submitted(1, {{named}}, start));
  auto effects = frontend.applied(batch.batch, refused(command_errc::no_capacity), start);
  CHECK(the<answer_proposal>(effects).answer.each.front().error == command_errc::no_capacity);
}

TEST_CASE("a migration of a VM that the scheduler doesn't know yet is left to apply") {
  frontend_state frontend;
  auto question = the<ask_scheduler>(frontend.submitted(1, {{migrate(7)}}, start));
  CHECK(question.request.migration);
  auto batch = the<propose_batch>(frontend.placed(question.question, {{}, "not known"}, start));
  auto answer = the<answer_proposal>(
      frontend.applied(batch.batch, refused(command_errc::unknown_vm), start));
  CHECK(answer.answer.each.front().error == command_errc::unknown_vm);
}

TEST_CASE("a proposal is answered when all of its commands are") {
  frontend_state frontend;
  auto question = the<ask_scheduler>(frontend.submitted(1, {{wish(1), create(7)}}, start));
  auto batch = the<propose_batch>(frontend.placed(question.question, {first_host, {}}, start));
  CHECK(batch.commands.commands.size() == 2);
  auto taken = all_good(2);
  taken.each[1].error = command_errc::no_capacity;
  auto effects = frontend.applied(batch.batch, taken, start);
  CHECK(all<answer_proposal>(effects).empty());
  question = the<ask_scheduler>(effects);
  batch = the<propose_batch>(frontend.placed(question.question, {second_host, {}}, start));
  CHECK(batch.commands.commands.size() == 1); // the first command is not proposed twice
  auto answer = the<answer_proposal>(frontend.applied(batch.batch, all_good(1, 9), start));
  CHECK(answer.answer.each[0].revision == 5);
  CHECK(answer.answer.each[1].revision == 9);
}

TEST_CASE("the scheduler is asked a bounded number of questions at a time") {
  frontend_state frontend{{.most_placements = 1}};
  auto first = the<ask_scheduler>(frontend.submitted(1, {{create(1)}}, start));
  CHECK(frontend.submitted(2, {{create(2)}}, start).empty());
  auto effects = frontend.placed(first.question, {first_host, {}}, start);
  CHECK(the<ask_scheduler>(effects).request.vm.value.low == 2);
}

TEST_CASE("a scheduler that doesn't answer is an overload: nothing was committed") {
  frontend_state frontend;
  auto question = the<ask_scheduler>(frontend.submitted(1, {{create(1)}}, start));
  auto answer = the<answer_proposal>(frontend.not_placed(question.question, start));
  CHECK(answer.answer.each.front().error == command_errc::overloaded);
}

TEST_CASE("a proposal with one client's command in it takes clients' room") {
  frontend_state frontend{{.most_commands = 1}};
  auto refusal = the<answer_proposal>(frontend.submitted(1, {{report(1), wish(1)}}, start));
  CHECK(refusal.answer.each.front().error == command_errc::overloaded);
}

TEST_CASE("a batch takes no more than its commands, or its bytes") {
  frontend_state frontend{{.batch_commands = 2, .batch_bytes = 4'096, .most_batches = 1}};
  auto first = the<propose_batch>(frontend.submitted(1, {{wish(1)}}, start));
  SUBCASE("commands") {
    for (uint64_t i = 2; i <= 4; ++i)
      frontend.submitted(i, {{wish(i)}}, start);
    auto next = the<propose_batch>(frontend.applied(first.batch, all_good(1), start));
    CHECK(next.commands.commands.size() == 2);
  }
  SUBCASE("bytes") {
    for (uint64_t i = 2; i <= 3; ++i)
      frontend.submitted(i, {{large(i)}}, start);
    auto next = the<propose_batch>(frontend.applied(first.batch, all_good(1), start));
    CHECK(next.commands.commands.size() == 1);
  }
}

TEST_CASE("a place that is taken when nobody listens any more isn't chosen anew") {
  frontend_state frontend;
  auto question = the<ask_scheduler>(frontend.submitted(1, {{create(7)}}, start));
  auto batch = the<propose_batch>(frontend.placed(question.question, {first_host, {}}, start));
  auto answer = the<answer_proposal>(
      frontend.applied(batch.batch, refused(command_errc::no_capacity), start + 5s));
  CHECK(answer.answer.each.front().error == command_errc::no_capacity);
}

TEST_CASE("a command waits as long as its caller's patience") {
  frontend_state frontend{{.most_batches = 1}};
  frontend.submitted(1, {{wish(1)}}, start);
  frontend.submitted(2, {{wish(2)}}, start);
  CHECK(frontend.tick(start + 4'999ms).empty());
}

TEST_CASE("what was refused weighs nothing in the next batch") {
  frontend_state frontend{{.batch_bytes = 4'096, .most_batches = 2}};
  auto first = the<propose_batch>(frontend.submitted(1, {{wish(1)}}, start));
  frontend.submitted(2, {{wish(2)}}, start);
  REQUIRE(all<propose_batch>(frontend.tick(start + 2ms)).size() == 1);
  frontend.submitted(3, {{large(3)}}, start);
  REQUIRE(all<answer_proposal>(frontend.tick(start + 5s)).size() == 1);
  frontend.applied(first.batch, all_good(1), start + 5s);
  CHECK(frontend.submitted(4, {{wish(4)}}, start + 5s).empty()); // waits for company
}

TEST_CASE("a lost VM's other host is chosen as a create's is, ahead of clients' calls") {
  frontend_state frontend;
  replace_vm body;
  body.vm.value.low = 7;
  auto question = the<ask_scheduler>(frontend.submitted(1, {{command{body, {}}}}, start));
  CHECK(question.request.replacement);
  CHECK(question.request.vm == body.vm);
  SUBCASE("and tried elsewhere when it was taken meanwhile") {
    auto batch = the<propose_batch>(frontend.placed(question.question, {first_host, {}}, start));
    CHECK(std::get<replace_vm>(batch.commands.commands[0].body).to == first_host);
    auto again = the<ask_scheduler>(
        frontend.applied(batch.batch, refused(command_errc::no_capacity), start));
    CHECK(again.request.except == first_host);
    CHECK(again.request.replacement);
  }
  SUBCASE("and without one the log hears what is missing") {
    auto batch
        = the<propose_batch>(frontend.placed(question.question, {{}, "1 MiB is missing"}, start));
    const auto& told = std::get<replace_vm>(batch.commands.commands[0].body);
    CHECK(told.to.nil());
    CHECK(told.problem == "1 MiB is missing");
    auto outcome = all_good(1);
    outcome.each[0].detail = "1 MiB is missing";
    auto answer = the<answer_proposal>(frontend.applied(batch.batch, outcome, start));
    CHECK(answer.answer.each[0].detail == "1 MiB is missing");
  }
  SUBCASE("and the room for clients' calls isn't its") {
    frontend_config config;
    config.most_commands = 1;
    frontend_state busy{config};
    busy.submitted(1, {{wish(1)}}, start);
    CHECK(all<answer_proposal>(busy.submitted(2, {{wish(2)}}, start)).size() == 1);
    CHECK(all<answer_proposal>(busy.submitted(3, {{command{body, {}}}}, start)).empty());
  }
}
