#include "tests/bench/migration/memory_floor.hpp"

#include "dwcp/guest_stream/stream_splitter.hpp"
#include "tests/bench/migration/zstd_stream.hpp"

#include <fstream>
#include <set>
#include <stdexcept>
#include <xxhash.h>

namespace novacron::bench {

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
