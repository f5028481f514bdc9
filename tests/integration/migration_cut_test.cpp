#include "tests/integration/device_gate.hpp"
#include "tests/integration/two_hosts.hpp"

#include <doctest/doctest.h>
#include <mutex>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

/// What one whole migration of the guest takes, measured once.
struct whole_stream {
  uint64_t wire_bytes = 0;
  uint64_t device_bytes = 0;
  uint64_t connections = 0;
};

/// How far before the end of the devices the last cut is. Their length differs by
/// some 3 KiB from run to run, and the gate stops up to 4 KiB late: less, and a
/// migration may be whole before it is cut.
constexpr uint64_t last_bytes = 12'288;

/// Sends the next stream of the guest's present host through a gate.
class gated_stream {
public:
  explicit gated_stream(migrating_host& source, uint64_t stop_after = device_gate::never) {
    source.plan().send_streams_by([this, stop_after](const std::filesystem::path& sender) {
      std::lock_guard lock{mutex_};
      gate_ = std::make_unique<device_gate>(sender, stop_after);
      return gate_->socket();
    });
  }

  uint64_t device_bytes() const {
    std::lock_guard lock{mutex_};
    return gate_ ? gate_->device_bytes() : 0;
  }
  bool stopped() const {
    std::lock_guard lock{mutex_};
    return gate_ && gate_->stopped();
  }

private:
  mutable std::mutex mutex_;
  std::unique_ptr<device_gate> gate_;
};

const whole_stream& measured() {
  static const whole_stream whole = [] {
    auto& hosts = shared_hosts();
    auto& to = hosts.there();
    gated_stream stream{hosts.here()};
    auto end = hosts.end_of(hosts.migrate());
    REQUIRE_MESSAGE((end && end->phase == migration_phase::done), hosts.log_lines());
    whole_stream x{hosts.link()->carried(), stream.device_bytes(), hosts.link()->connections()};
    hosts.mend();
    REQUIRE(hosts.settles_at(to));
    MESSAGE("a whole stream: ", x.wire_bytes, " bytes on the wire; devices: ", x.device_bytes);
    REQUIRE(x.device_bytes > 10'000);
    return x;
  }();
  return whole;
}

/// The guest must go on at its source, and be none the worse for it.
void stays(two_hosts& hosts, const migration_record& migration) {
  auto& from = hosts.here();
  auto end = hosts.end_of(migration);
  auto rolled_back = end && end->phase == migration_phase::rolled_back;
  CHECK_MESSAGE(rolled_back, (end ? to_string(end->phase) : "not over"), "\n", hosts.log_lines());
  if (!rolled_back)
    hosts.unsound();
  if (end)
    MESSAGE("rolled back: ", end->reason);
  hosts.mend();
  auto settled = hosts.settles_at(from);
  CHECK_MESSAGE(settled, hosts.log_lines());
}

void cut_at(uint64_t wire_bytes) {
  auto& hosts = shared_hosts();
  hosts.set_link({.cut_after = wire_bytes});
  auto migration = hosts.migrate();
  stays(hosts, migration);
}

/// Connections are lost by these faults, and may come back: the guest arrives nevertheless.
void comes_back_after(const link_faults& faults) {
  const auto undisturbed = measured().connections;
  auto& hosts = shared_hosts();
  auto& to = hosts.there();
  hosts.set_link(faults);
  auto end = hosts.end_of(hosts.migrate());
  auto done = end && end->phase == migration_phase::done;
  CHECK_MESSAGE(done, (end ? end->reason : "not over"), "\n", hosts.log_lines());
  if (!done)
    hosts.unsound();
  auto link = hosts.link();
  CHECK((link && link->connections() > undisturbed)); // or nothing was lost
  hosts.mend();
  auto settled = hosts.settles_at(to);
  CHECK_MESSAGE(settled, hosts.log_lines());
}

void cut_in_devices(uint64_t device_bytes) {
  auto& hosts = shared_hosts();
  gated_stream stream{hosts.here(), device_bytes};
  auto migration = hosts.migrate();
  CHECK(becomes_true(60s, [&] { return stream.stopped(); }));
  // What the gate has let through is on its way: let it arrive.
  uint64_t carried = 0;
  CHECK(becomes_true(10s, [&] {
    auto before = std::exchange(carried, hosts.link()->carried());
    std::this_thread::sleep_for(100ms); // poll interval
    return carried == before;
  }));
  hosts.link()->cut();
  stays(hosts, migration);
}

} // namespace

TEST_CASE("connections that are cut while the guest runs come back") {
  auto whole = measured();
  SUBCASE("after a hundredth") {
    comes_back_after({.cut_once_after = whole.wire_bytes / 100});
  }
  SUBCASE("after a tenth") {
    comes_back_after({.cut_once_after = whole.wire_bytes / 10});
  }
  SUBCASE("in the middle") {
    comes_back_after({.cut_once_after = whole.wire_bytes / 2});
  }
}

TEST_CASE("a connection that is cut for good leaves the guest at its source") {
  auto whole = measured();
  SUBCASE("while it is opened") {
    cut_at(100);
  }
  SUBCASE("after the first ticket") {
    cut_at(3'000);
  }
  SUBCASE("after a tenth") {
    cut_at(whole.wire_bytes / 10);
  }
  SUBCASE("after nine tenths") {
    cut_at(whole.wire_bytes / 10 * 9);
  }
  SUBCASE("between memory and devices") {
    cut_in_devices(0);
  }
  SUBCASE("after a quarter of the devices") {
    cut_in_devices(whole.device_bytes / 4);
  }
  SUBCASE("after three quarters of the devices") {
    cut_in_devices(whole.device_bytes / 4 * 3);
  }
  SUBCASE("before the devices' last bytes") {
    cut_in_devices(whole.device_bytes - last_bytes);
  }
}

TEST_CASE("a corrupted byte is refused, and what it was part of is sent again") {
  auto whole = measured();
  comes_back_after({.flip_bit_at = whole.wire_bytes / 3});
}

TEST_CASE("after all that the guest can still be moved") {
  auto& hosts = shared_hosts();
  auto& to = hosts.there();
  auto end = hosts.end_of(hosts.migrate());
  REQUIRE(end.has_value());
  CHECK(end->phase == migration_phase::done);
  CHECK(hosts.settles_at(to));
  end_shared_hosts();
}
