#include "tests/bench/migration/saved_state.hpp"

#include "hypervisor/console/console_watch.hpp"
#include "tests/lab/qemu/bare_guest.hpp"
#include "tests/unit/dwcp/test_authority.hpp"

#include <algorithm>
#include <stdexcept>

namespace novacron::bench {

using namespace std::chrono_literals;

namespace {

constexpr size_t settled_ticks = 30;
constexpr auto boot_limit = 120s;
constexpr auto save_limit = 120s;
constexpr uint64_t unlimited = uint64_t{1} << 40;

bool newer(const std::filesystem::path& file, const std::filesystem::path& image) {
  std::error_code none;
  const auto made = std::filesystem::last_write_time(file, none);
  return !none && made > std::filesystem::last_write_time(image / "initrd.gz")
         && made > std::filesystem::last_write_time(image / "vmlinuz");
}

/// Sends the guest's stream into the file, which appears when it is whole.
void write_stream(lab::bare_guest& guest, const std::filesystem::path& file) {
  const auto fresh = file.string() + ".new";
  guest.monitor().call("migrate", {{"uri", "exec:cat > '" + fresh + "'"}});
  guest.wait_until_sent(save_limit);
  std::filesystem::rename(fresh, file);
}

} // namespace

std::filesystem::path saved_state(const bench_place& place, const workload& load) {
  const auto file = place.states / (load.name + ".stream");
  if (newer(file, place.image))
    return file;
  const testing::temporary_folder folder;
  lab::bare_guest guest{{.folder = folder / "",
                         .name = "boots",
                         .image = place.image,
                         .kernel_arguments = load.kernel_arguments}};
  console_watch console{{guest.serial()}};
  if (!console.wait_for_ticks(settled_ticks, boot_limit))
    throw std::runtime_error{"the guest with " + load.name + " doesn't tick"};
  guest.monitor().call("stop");
  guest.monitor().call("migrate-set-parameters", {{"max-bandwidth", unlimited}});
  write_stream(guest, file);
  return file;
}

std::vector<std::filesystem::path> states_seen_by(const bench_place& place, const workload& load) {
  std::vector<std::filesystem::path> out;
  for (const auto& name : load.seen)
    out.push_back(saved_state(place, *std::ranges::find(workloads(), name, &workload::name)));
  return out;
}

std::filesystem::path captured_stream(const bench_place& place, const workload& load,
                                      unsigned mebibytes_per_s) {
  const auto file = place.states / (load.name + "-live.stream");
  if (newer(file, place.image))
    return file;
  const auto state = saved_state(place, load);
  const testing::temporary_folder folder;
  lab::bare_guest guest{{.folder = folder / "",
                         .name = "leaves",
                         .image = place.image,
                         .kernel_arguments = load.kernel_arguments,
                         .incoming = "exec:cat '" + state.string() + "'"}};
  guest.wait_until_loaded();
  guest.monitor().call(
      "migrate-set-parameters",
      {{"max-bandwidth", uint64_t{mebibytes_per_s} << 20}, {"downtime-limit", 100}});
  guest.monitor().call("cont");
  console_watch console{{guest.serial()}};
  if (!console.wait_for_ticks(5, boot_limit))
    throw std::runtime_error{"the saved guest with " + load.name + " doesn't tick"};
  write_stream(guest, file);
  return file;
}

} // namespace novacron::bench
