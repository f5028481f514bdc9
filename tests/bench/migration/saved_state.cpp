#include "tests/bench/migration/saved_state.hpp"

#include "dwcp/guest_stream/stream_splitter.hpp"
#include "hypervisor/console/console_watch.hpp"
#include "tests/bench/migration/bare_guest.hpp"
#include "tests/bench/migration/zstd_stream.hpp"
#include "tests/unit/dwcp/test_authority.hpp"

#include <fstream>
#include <set>
#include <stdexcept>
#include <xxhash.h>

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
void write_stream(bare_guest& guest, const std::filesystem::path& file) {
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
  bare_guest guest{{.folder = folder / "",
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

std::filesystem::path captured_stream(const bench_place& place, const workload& load,
                                      unsigned mebibytes_per_s) {
  const auto file = place.states / (load.name + "-live.stream");
  if (newer(file, place.image))
    return file;
  const auto state = saved_state(place, load);
  const testing::temporary_folder folder;
  bare_guest guest{{.folder = folder / "",
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

boost::json::object describe_memory(const std::filesystem::path& state) {
  std::ifstream in{state, std::ios::binary};
  if (!in)
    throw std::runtime_error{"cannot read " + state.string()};
  stream_splitter splitter;
  zstd_stream compressed{1};
  std::set<std::pair<uint64_t, uint64_t>> seen;
  const auto take = [&](const page_record& record) {
    if (record.kind != record_kind::page)
      return;
    const auto hash = XXH3_128bits(record.bytes.data(), record.bytes.size());
    if (seen.emplace(hash.high64, hash.low64).second)
      compressed.add(record.bytes);
  };
  std::vector<std::byte> buffer(1u << 20);
  while (
      in.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()))
      || in.gcount() > 0)
    splitter.push(std::span{buffer}.first(static_cast<size_t>(in.gcount())), take);
  splitter.finish(take);
  const auto& counts = splitter.statistics();
  if (!splitter.memory_complete())
    throw std::runtime_error{state.string() + " is no whole stream"};
  return {{"nonzero_pages", counts.full_pages},
          {"zero_pages", counts.zero_pages},
          {"distinct_pages", seen.size()},
          {"floor_bytes", compressed.finish()}};
}

} // namespace novacron::bench
