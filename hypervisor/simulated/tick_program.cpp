#include "hypervisor/simulated/tick_program.hpp"

#include "messages/mixed_bits.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <optional>

namespace novacron::tick_program {

namespace {

constexpr uint64_t ticks_per_second = std::chrono::seconds{1} / period;
constexpr uint64_t pages_per_mib = 256;
constexpr uint64_t guarded_part = 4; ///< of the memory, when nothing else is asked for
constexpr size_t line_bytes = 64;
constexpr uint64_t magic = 0x6E6F'7661'7469'636B;

using content = std::array<std::byte, page_size>;

/// What lies in page 0; the region begins after it. Pages are written, and
/// verified, in steps of `stride`, which is coprime to their number.
struct registers {
  uint64_t magic_number = magic;
  uint64_t seed = 0;
  uint64_t region_pages = 0;
  uint64_t stride = 0;
  uint64_t dirty_pages_per_second = 0;
  uint64_t verified_a_tick = 0;
  uint64_t corrupt_at = 0;
  uint64_t ticks = 0;
  uint64_t written = 0; ///< pages, since the region was first filled
  uint64_t turn = 0;    ///< pages verified
  uint64_t owed = 0;    ///< to the dirty rate, in tenths of a page
  uint64_t checksum = 0;
  uint64_t uptime_ns = 0;
  uint64_t good = 1;
};

/// One word of noise in each line: compressible, as guests' memory is, and
/// different in each page and version.
content compose(uint64_t seed, uint64_t place, uint64_t version) {
  content out;
  out.fill(std::byte{0x5A});
  uint64_t state = mixed_bits(seed ^ place * golden_gamma ^ version * 0xD1342543DE82EF95ULL);
  for (size_t at = 0; at < page_size; at += line_bytes) {
    const uint64_t noise = mixed_bits(state += golden_gamma);
    std::memcpy(out.data() + at, &noise, sizeof noise);
  }
  return out;
}

registers load(const guest_memory& memory) {
  registers r;
  std::memcpy(&r, memory.page(0).data(), sizeof r);
  return r;
}

void save(guest_memory& memory, const registers& r) {
  memory.write(0, 0, std::as_bytes(std::span{&r, 1}));
}

uint64_t place_of(const registers& r, uint64_t step) {
  return step % r.region_pages * r.stride % r.region_pages;
}

void write_next(guest_memory& memory, registers& r) {
  const auto place = place_of(r, r.written);
  memory.write(1 + place, 0, compose(r.seed, place, r.written / r.region_pages + 1));
  ++r.written;
}

/// Pages are verified in the order in which they are written, so what the next
/// one must hold follows from two counters, never from the memory.
void verify_next(const guest_memory& memory, registers& r) {
  const auto step = r.turn % r.region_pages;
  const auto version = r.written > step ? (r.written - 1 - step) / r.region_pages + 1 : 0;
  const auto place = place_of(r, step);
  const auto expected = compose(r.seed, place, version);
  const auto found = memory.page(1 + place);
  uint64_t sample = 0;
  std::memcpy(&sample, found.data() + r.turn % (page_size / line_bytes) * line_bytes,
              sizeof sample);
  r.checksum = mixed_bits(r.checksum ^ sample);
  r.good &= std::equal(found.begin(), found.end(), expected.begin()) ? 1 : 0;
  ++r.turn;
}

void corrupt_next(guest_memory& memory, const registers& r) {
  const auto page = 1 + place_of(r, r.turn + 1);
  const auto flipped = memory.page(page)[17] ^ std::byte{4};
  memory.write(page, 17, {&flipped, 1});
}

std::optional<uint64_t> argument(std::string_view arguments, std::string_view name) {
  const auto at = arguments.find(name);
  if (at == std::string_view::npos)
    return std::nullopt;
  const auto text = arguments.substr(at + name.size());
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

} // namespace

std::string boot(guest_memory& memory, std::string_view arguments, uint64_t dirty_pages) {
  registers r;
  r.region_pages = std::max<uint64_t>(memory.pages() / guarded_part, 1);
  if (const auto mib = argument(arguments, "novacron.region="))
    r.region_pages = std::max<uint64_t>(std::min(*mib, memory.pages()) * pages_per_mib, 1);
  if (r.region_pages >= memory.pages())
    return "FATAL cannot map " + std::to_string(r.region_pages) + " pages: lower novacron.region\n";
  r.dirty_pages_per_second = dirty_pages;
  if (const auto mib = argument(arguments, "novacron.dirty="))
    r.dirty_pages_per_second = std::min(*mib, memory.pages()) * pages_per_mib;
  // A tick writes each page once at most: more would not be done in time.
  r.dirty_pages_per_second = std::min(r.dirty_pages_per_second, r.region_pages * ticks_per_second);
  const auto sweep_ticks = argument(arguments, "novacron.sweep=").value_or(10) * ticks_per_second;
  r.verified_a_tick = r.region_pages / std::max<uint64_t>(sweep_ticks, 1) + 1;
  r.corrupt_at = argument(arguments, "novacron.corrupt=").value_or(0);
  r.checksum = r.seed = argument(arguments, "novacron.seed=").value_or(1);
  r.stride = 1 + r.region_pages * 5 / 8;
  while (std::gcd(r.stride, r.region_pages) != 1)
    ++r.stride;
  for (uint64_t place = 0; place < r.region_pages; ++place)
    memory.write(1 + place, 0, compose(r.seed, place, 0));
  save(memory, r);
  return "novacron: a simulated guest\n";
}

std::string tick(guest_memory& memory, std::chrono::nanoseconds since_last) {
  auto r = load(memory);
  if (r.magic_number != magic || r.region_pages == 0 || r.region_pages >= memory.pages())
    return {};
  r.uptime_ns += static_cast<uint64_t>(since_last.count());
  if (++r.ticks == r.corrupt_at)
    corrupt_next(memory, r);
  for (r.owed += r.dirty_pages_per_second; r.owed >= ticks_per_second; r.owed -= ticks_per_second)
    write_next(memory, r);
  for (uint64_t i = 0; i < r.verified_a_tick; ++i)
    verify_next(memory, r);
  save(memory, r);
  char line[200];
  std::snprintf(line, sizeof line, "TICK %llu %.2f mem=%s %016llx sweep=%llu written=%llu\n",
                static_cast<unsigned long long>(r.ticks), static_cast<double>(r.uptime_ns) / 1e9,
                r.good != 0 ? "ok" : "BAD", static_cast<unsigned long long>(r.checksum),
                static_cast<unsigned long long>(r.turn / r.region_pages),
                static_cast<unsigned long long>(r.written));
  return line;
}

} // namespace novacron::tick_program
