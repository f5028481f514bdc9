#include "hypervisor/console/console_watch.hpp"
#include "tests/integration/libvirt_host.hpp"
#include "tests/integration/outcomes.hpp"
#include "tests/integration/stream_pump.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

// Real streams of QEMU, kept in the build folder for the tests of what splits, joins and carries
// them: integration/libvirt_streams.
TEST_CASE("migration streams of real guests are captured") {
  struct workload {
    const char* name;
    const char* arguments;
    uint64_t memory_mib;
    uint64_t bytes_per_second;
  };
  const workload workloads[] = {
      {"idle", "novacron.region=1 novacron.dirty=0", 96, 0},
      {"dirty", "novacron.region=16 novacron.dirty=8", 128, 24u << 20},
  };
  std::filesystem::path folder{NOVACRON_STREAM_FOLDER};
  std::filesystem::create_directories(folder);
  libvirt_host source_host{libvirt_mode::session};
  libvirt_host destination_host{libvirt_mode::session};
  auto source = source_host.connect();
  auto destination = destination_host.connect();
  for (const auto& load : workloads) {
    vm_id vm{random_uuid()};
    auto spec = source_host.spec(vm);
    spec.memory_mib = load.memory_mib;
    spec.kernel_arguments = std::string{"console=ttyS0 quiet "} + load.arguments;
    console_watch console{{spec.console_log}};
    done(source->create(spec));
    done(source->resume(vm));
    REQUIRE(console.wait_for_ticks(5, 180s));

    auto part = folder / (std::string{load.name} + ".part");
    auto offer = value_of(source->migration_begin(vm));
    auto incoming = destination_host.spec(vm, {1, 2});
    auto cookie = value_of(
        destination->migration_prepare({incoming, offer, destination_host.stream_socket("in")}));
    {
      stream_pump pump{source_host.stream_socket("out"),
                       destination_host.stream_socket("in"),
                       {.bytes_per_second = load.bytes_per_second, .capture = part}};
      cookie = value_of(source->migration_perform(vm, {cookie, source_host.stream_socket("out")}));
      CHECK(pump.sent_bytes() > 10'000'000);
    }
    value_of(destination->migration_finish(vm, cookie, false));
    done(source->migration_confirm(vm, ""));
    done(destination->destroy(vm));
    std::filesystem::rename(part, folder / (std::string{load.name} + ".qemu"));
  }
}
