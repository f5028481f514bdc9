#include "hypervisor/console/tick_series.hpp"
#include "hypervisor/libvirt/domain_metadata.hpp"

#include <cstdint>
#include <cstdlib>

using namespace novacron;

/// What others write and the hypervisor's side reads: a domain's metadata, which
/// any user of the same libvirtd may set, and a guest's console.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto metadata = parse_metadata(text)) {
    const auto again = parse_metadata(to_xml(*metadata));
    if (!again || to_xml(*again) != to_xml(*metadata))
      std::abort();
  }
  tick_series series;
  const tick_series::time_point start{};
  std::chrono::nanoseconds at{0};
  for (auto rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    series.add_line(rest.substr(0, end), start + at);
    at += std::chrono::milliseconds{100};
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto& seen = series.summary();
  if ((seen.latest != 0 && (seen.ticks == 0 || seen.starts > seen.ticks))
      || series.largest_gap(start, start + at) < std::chrono::nanoseconds{0})
    std::abort();
  return 0;
}
