#include "hypervisor/errors.hpp"
#include "hypervisor/libvirt/link.hpp"
#include "tests/few_threads.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

TEST_CASE("a connection for which there is no thread is unreachable, and may be had later") {
  if (!threads_can_be_limited) {
    MESSAGE("not tried: a sanitizer ends a process whose memory is limited");
    return;
  }
  libvirt_link link{"test:///default"};
  CHECK(holds_with_threads(0, [&] {
    const auto connection = link.get();
    return !connection && connection.error().code == hypervisor_errc::unreachable;
  }));
  CHECK(link.get().has_value());
}
