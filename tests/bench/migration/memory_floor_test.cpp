#include "messages/page_stream.hpp"
#include "tests/bench/migration/memory_floor.hpp"
#include "tests/unit/dwcp/test_authority.hpp"

#include <boost/json/value.hpp>
#include <doctest/doctest.h>
#include <fstream>
#include <random>

using namespace novacron;

TEST_CASE("the floor counts each distinct page once, and zeros not at all") {
  constexpr uint64_t pages = 64;
  stream_writer writer{{{"pc.ram", 4 * pages * page_size}}};
  std::mt19937_64 random{1};
  std::vector<std::byte> noise(page_size);
  writer.begin();
  writer.begin_part();
  for (uint64_t i = 0; i < pages; ++i) {
    for (auto& x : noise)
      x = static_cast<std::byte>(random());
    writer.page(0, 2 * i * page_size, noise);
    writer.page(0, (2 * i + 1) * page_size, noise);
  }
  writer.end_part();
  writer.begin_last();
  for (uint64_t i = 2 * pages; i < 4 * pages; ++i)
    writer.zero_page(0, i * page_size);
  writer.end_part();
  writer.finish(noise);
  const auto stream = writer.take();
  const testing::temporary_folder folder;
  std::ofstream{folder / "stream", std::ios::binary}.write(
      reinterpret_cast<const char*>(stream.data()), static_cast<std::streamsize>(stream.size()));

  const auto found = bench::describe_memory(folder / "stream");
  CHECK(found.at("nonzero_pages") == 2 * pages);
  CHECK(found.at("distinct_pages") == pages);
  CHECK(found.at("zero_pages") == 2 * pages);
  const auto floor = found.at("floor_bytes").to_number<uint64_t>();
  CHECK(floor >= pages * page_size);
  CHECK(floor < pages * page_size + 1'000);
  // Of a guest that its destination has seen nothing is left.
  const auto seen = bench::describe_memory(folder / "stream", {folder / "stream"});
  CHECK(seen.at("nonzero_pages") == 2 * pages);
  CHECK(seen.at("distinct_pages") == 0);
  CHECK(seen.at("floor_bytes").to_number<uint64_t>() < 100);
  bench::write_pages(folder / "stream", folder / "kept");
  CHECK(std::filesystem::file_size(folder / "kept") == 2 * pages * page_size);
}

TEST_CASE("of a stream that is cut no floor is told") {
  stream_writer writer{{{"pc.ram", 4 * page_size}}};
  writer.begin();
  writer.begin_part();
  const auto stream = writer.take();
  const testing::temporary_folder folder;
  std::ofstream{folder / "stream", std::ios::binary}.write(
      reinterpret_cast<const char*>(stream.data()), static_cast<std::streamsize>(stream.size()));
  CHECK_THROWS(bench::describe_memory(folder / "stream"));
}
