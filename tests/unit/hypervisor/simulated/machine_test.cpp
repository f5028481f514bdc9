#include "hypervisor/simulated/machine_driver.hpp"
#include "hypervisor/simulated/machine_server.hpp"
#include "tests/becomes_true.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <set>
#include <unistd.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

template <class T>
std::error_code code_of(const result<T>& outcome) {
  return outcome ? std::error_code{} : outcome.error().code;
}

const std::error_code fine{};

bool eventually(const std::function<bool()>& holds) {
  return becomes_true(10s, holds);
}

/// A machine in this process; agents reach it through its socket all the same.
class machine {
public:
  machine() {
    REQUIRE(::mkdtemp(name_) != nullptr);
    power_on();
  }
  ~machine() {
    server_.reset();
    std::filesystem::remove_all(name_);
  }

  void power_on() {
    auto listener = stream_socket::listen(machine_socket(config()));
    REQUIRE(listener.has_value());
    host_ = std::make_shared<simulated_host>();
    server_ = std::make_unique<machine_server>(host_, std::move(*listener),
                                               deadline_file{folder() / "deadline", "this boot"});
  }
  void power_off() {
    server_.reset();
    std::filesystem::remove(machine_socket(config()));
  }

  [[nodiscard]] std::filesystem::path folder() const { return name_; }
  [[nodiscard]] machine_config config() const { return {folder()}; }
  [[nodiscard]] simulated_host& host() { return *host_; }
  /// An agent; it can't start a machine that isn't there.
  [[nodiscard]] std::unique_ptr<hypervisor> agent() const {
    auto driver = make_machine_driver(config(), "/bin/false");
    REQUIRE(driver.has_value());
    return std::move(*driver);
  }

private:
  char name_[32] = "/tmp/nova-machine-XXXXXX";
  std::shared_ptr<simulated_host> host_;
  std::unique_ptr<machine_server> server_;
};

guest_spec spec_of(const machine& where, vm_id vm, epoch number = {1, 1}) {
  guest_spec spec;
  spec.vm = vm;
  spec.name = "web";
  spec.epoch = number;
  spec.memory_mib = 4;
  spec.console_log = where.folder() / "console" / "log";
  return spec;
}

std::string console_of(const machine& where) {
  std::ifstream in{where.folder() / "console" / "log"};
  return {std::istreambuf_iterator<char>{in}, {}};
}

const vm_id one{{1, 2}};

} // namespace

TEST_CASE("a guest of a simulated machine outlives its agent, and ticks on") {
  machine here;
  auto agent = here.agent();
  CHECK(code_of(agent->resume(one)) == hypervisor_errc::no_such_guest);
  CHECK(code_of(agent->create(spec_of(here, one, {3, 4}))) == fine);
  CHECK(code_of(agent->create(spec_of(here, one))) == hypervisor_errc::already_there);
  CHECK(code_of(agent->resume(one)) == fine);
  agent.reset();
  const auto before = console_of(here).size();
  CHECK(eventually([&] { return console_of(here).size() > before + 100; }));
  agent = here.agent();
  auto guests = agent->list();
  REQUIRE(guests.has_value());
  REQUIRE(guests->size() == 1);
  CHECK(guests->front().vm == one);
  CHECK((guests->front().epoch == epoch{3, 4}));
  CHECK(guests->front().phase == guest_phase::running);
  CHECK(code_of(agent->destroy(one)) == fine);
  CHECK(agent->list()->empty());
}

TEST_CASE("a guest migrates between two simulated machines and counts on") {
  machine here;
  machine there;
  auto source = here.agent();
  auto destination = there.agent();
  REQUIRE(source->create(spec_of(here, one)).has_value());
  REQUIRE(source->resume(one).has_value());
  auto offer = source->migration_begin(one);
  REQUIRE(offer.has_value());
  const auto socket = there.folder() / "stream";
  REQUIRE(
      destination->migration_prepare({spec_of(there, one, {1, 2}), *offer, socket}).has_value());
  CHECK(code_of(source->migration_perform(one, {"", socket})) == fine);
  CHECK(here.host().memory_digest(one) == there.host().memory_digest(one));
  CHECK(code_of(destination->migration_finish(one, "", false)) == fine);
  CHECK(code_of(source->migration_confirm(one, "")) == fine);
  CHECK(source->list()->empty());
  CHECK(eventually([&] { return console_of(there).find("mem=ok") != std::string::npos; }));
  CHECK(console_of(there).find("BAD") == std::string::npos);
}

TEST_CASE("an incoming guest of a simulated machine dies with the agent that prepared it") {
  machine here;
  machine there;
  auto source = here.agent();
  auto destination = there.agent();
  REQUIRE(source->create(spec_of(here, one)).has_value());
  auto offer = source->migration_begin(one);
  REQUIRE(offer.has_value());
  REQUIRE(destination->migration_prepare({spec_of(there, one), *offer, there.folder() / "stream"})
              .has_value());
  REQUIRE(there.host().guests().size() == 1);
  auto other = there.agent();
  other.reset();
  CHECK(there.host().guests().size() == 1);
  destination.reset();
  CHECK(eventually([&] { return there.host().guests().empty(); }));
}

TEST_CASE("an agent hears what happens on its simulated machine") {
  machine here;
  auto agent = here.agent();
  std::mutex mutex;
  std::set<vm_id> told;
  agent->subscribe([&](const guest_event& event) {
    std::lock_guard lock{mutex};
    told.insert(event.vm);
  });
  const auto heard = [&](vm_id vm) {
    return eventually([&] {
      std::lock_guard lock{mutex};
      return told.erase(vm) > 0;
    });
  };
  REQUIRE(agent->create(spec_of(here, one)).has_value());
  CHECK(heard(one));
  here.host().kill_guest(one);
  CHECK(heard(one));
  SUBCASE("and looks at all of it after a loss of power") {
    here.power_off();
    CHECK(code_of(agent->list()) == hypervisor_errc::unreachable);
    here.power_on();
    CHECK(heard(vm_id{}));
    CHECK(code_of(agent->list()) == fine);
  }
}

TEST_CASE("a simulated machine is counted from outside, and none is started for that") {
  machine here;
  auto agent = here.agent();
  REQUIRE(agent->create(spec_of(here, one)).has_value());
  auto sight = look_at_machine(here.config());
  REQUIRE(sight.has_value());
  CHECK(sight->pid == ::getpid());
  REQUIRE(sight->guests.size() == 1);
  CHECK(sight->guests.front().vm == one);
  here.power_off();
  CHECK(code_of(look_at_machine(here.config())) == hypervisor_errc::unreachable);
}

TEST_CASE("a simulated machine refuses what makes no sense, and goes on") {
  machine here;
  auto agent = here.agent();
  const std::atomic<bool> stop{false};
  const auto ask = [&](auto call, uint64_t session, auto... more) {
    auto stream = reach_machine(here.config());
    REQUIRE(stream.has_value());
    return code_of(ask_machine<void>(*stream, call, session, stop, more...));
  };
  CHECK(ask(machine_call::create, 0) == hypervisor_errc::refused);
  CHECK(ask(machine_call::destroy, 0, one, one) == hypervisor_errc::refused);
  CHECK(ask(static_cast<machine_call>(99), 0) == hypervisor_errc::not_supported);
  CHECK(ask(machine_call::destroy, 77, one) == hypervisor_errc::unreachable);
  CHECK(ask(machine_call::create, 0, uint64_t{1}, uint64_t{2}, ~uint64_t{0})
        == hypervisor_errc::refused);
  {
    auto stream = reach_machine(here.config());
    REQUIRE(stream.has_value());
    const std::vector<std::byte> endless(8, std::byte{0xFF});
    REQUIRE(stream->write(endless, stop).has_value());
    std::array<std::byte, 1> answer{};
    CHECK(!stream->read(answer, stop, 5s).has_value());
  }
  CHECK(code_of(agent->list()) == fine);
}

TEST_CASE("what a call takes and gives is the same at both ends") {
  guest_spec spec;
  spec.vm = {{1, ~uint64_t{0}}};
  spec.name = "a name";
  spec.epoch = {7, 1ULL << 40};
  spec.ha = true;
  spec.vcpus = 3;
  spec.memory_mib = 5;
  spec.kernel = "/kernel";
  spec.initrd = "/initrd";
  spec.kernel_arguments = std::string("a\0b", 3);
  spec.console_log = "/log";
  wire_writer out;
  out(prepare_request{spec, {"xml", "cookie"}, "/socket"});
  prepare_request read;
  wire_reader in{out.bytes()};
  in(read);
  CHECK(in.complete());
  CHECK(read.spec.vm == spec.vm);
  CHECK(read.spec.name == spec.name);
  CHECK((read.spec.epoch == spec.epoch));
  CHECK(read.spec.ha);
  CHECK(read.spec.vcpus == 3);
  CHECK(read.spec.memory_mib == 5);
  CHECK(read.spec.kernel == spec.kernel);
  CHECK(read.spec.initrd == spec.initrd);
  CHECK(read.spec.kernel_arguments == spec.kernel_arguments);
  CHECK(read.spec.console_log == spec.console_log);
  CHECK(read.offer.domain_xml == "xml");
  CHECK(read.offer.cookie == "cookie");
  CHECK(read.stream_socket == "/socket");
  for (size_t length = 0; length < out.bytes().size(); ++length) {
    wire_reader cut{std::span{out.bytes()}.first(length)};
    prepare_request part;
    cut(part);
    CHECK_MESSAGE(!cut.complete(), "cut at ", length);
  }
}
