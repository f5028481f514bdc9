#include "tests/integration/gated_stream.hpp"

#include <doctest/doctest.h>
#include <utility>

namespace novacron::test {

using namespace std::chrono_literals;

gated_stream::gated_stream(migrating_host& source, uint64_t stop_after) : source_{source} {
  source.plan().send_streams_by([this, stop_after](const std::filesystem::path& sender) {
    std::lock_guard lock{mutex_};
    gate_ = std::make_unique<device_gate>(sender, stop_after);
    return gate_->socket();
  });
}

gated_stream::~gated_stream() {
  source_.plan().send_streams_by({});
}

uint64_t gated_stream::device_bytes() const {
  std::lock_guard lock{mutex_};
  return gate_ ? gate_->device_bytes() : 0;
}

bool gated_stream::stopped() const {
  std::lock_guard lock{mutex_};
  return gate_ && gate_->stopped();
}

bool gated_stream::stops(two_hosts& hosts) const {
  if (!becomes_true(60s, [&] { return stopped(); }))
    return false;
  const auto link = hosts.link();
  uint64_t before = 0;
  return link
         && becomes_true(
             10s,
             [&] {
               const auto carried = link->carried();
               return std::exchange(before, carried) == carried;
             },
             100ms);
}

void gated_stream::release() {
  std::lock_guard lock{mutex_};
  if (gate_)
    gate_->release();
}

whole_stream measure_whole(two_hosts& hosts) {
  auto& to = hosts.there();
  gated_stream stream{hosts.here()};
  auto end = hosts.end_of(hosts.migrate());
  const bool done = end && end->phase == migration_phase::done;
  if (!done)
    hosts.unsound();
  REQUIRE_MESSAGE(done, hosts.log_lines());
  auto link = hosts.link();
  whole_stream x{link->carried(), link->returned(), stream.device_bytes(), link->connections()};
  link.reset();
  hosts.mend();
  REQUIRE(hosts.settles_at(to));
  MESSAGE("a whole stream: ", x.wire_bytes, " bytes on the wire, ", x.wire_bytes_back,
          " back; devices: ", x.device_bytes);
  REQUIRE(x.device_bytes > 10'000);
  return x;
}

} // namespace novacron::test
