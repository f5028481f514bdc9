#include "tests/bench/migration/memory_floor.hpp"

#include "dwcp/guest_stream/stream_splitter.hpp"
#include "tests/bench/migration/zstd_stream.hpp"

#include <fstream>
#include <functional>
#include <set>
#include <span>
#include <stdexcept>
#include <xxhash.h>

namespace novacron::bench {

namespace {

using page_sink = std::function<void(std::span<const std::byte>)>;

split_statistics each_page(const std::filesystem::path& state, const page_sink& take) {
  std::ifstream in{state, std::ios::binary};
  if (!in)
    throw std::runtime_error{"cannot read " + state.string()};
  stream_splitter splitter;
  const auto pages = [&](const page_record& record) {
    if (record.kind == record_kind::page)
      take(record.bytes);
  };
  std::vector<std::byte> buffer(1u << 20);
  while (
      in.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()))
      || in.gcount() > 0)
    splitter.push(std::span{buffer}.first(static_cast<size_t>(in.gcount())), pages);
  splitter.finish(pages);
  if (!splitter.memory_complete())
    throw std::runtime_error{state.string() + " is no whole stream"};
  return splitter.statistics();
}

} // namespace

boost::json::object describe_memory(const std::filesystem::path& state,
                                    const std::vector<std::filesystem::path>& seen) {
  zstd_stream compressed{1};
  std::set<std::pair<uint64_t, uint64_t>> known;
  const auto is_new = [&](std::span<const std::byte> page) {
    const auto hash = XXH3_128bits(page.data(), page.size());
    return known.emplace(hash.high64, hash.low64).second;
  };
  for (const auto& each : seen)
    each_page(each, is_new);
  size_t distinct = 0;
  const auto counts = each_page(state, [&](std::span<const std::byte> page) {
    if (!is_new(page))
      return;
    ++distinct;
    compressed.add(page);
  });
  return {{"nonzero_pages", counts.full_pages},
          {"zero_pages", counts.zero_pages},
          {"distinct_pages", distinct},
          {"floor_bytes", compressed.finish()}};
}

void write_pages(const std::filesystem::path& state, const std::filesystem::path& file) {
  std::ofstream out{file, std::ios::binary};
  each_page(state, [&](std::span<const std::byte> page) {
    out.write(reinterpret_cast<const char*>(page.data()),
              static_cast<std::streamsize>(page.size()));
  });
  if (!out.flush())
    throw std::runtime_error{"cannot write " + file.string()};
}

} // namespace novacron::bench
