#include "sample_streams.hpp"

#include "messages/page_stream.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <fstream>

namespace novacron::testing {

bytes random_bytes(random_numbers& random, size_t count) {
  bytes x(count);
  for (size_t at = 0; at < count; at += sizeof(uint64_t)) {
    const uint64_t eight = random();
    std::memcpy(x.data() + at, &eight, std::min(count - at, sizeof(eight)));
  }
  return x;
}

bytes guest_stream(random_numbers& random, const stream_shape& shape) {
  const std::vector<ram_block> blocks{{"pc.ram", shape.pages * page_size},
                                      {"pc.bios", 4 * page_size},
                                      {"/rom@etc/acpi/tables", 2 * page_size}};
  stream_writer writer{blocks, shape.return_path};
  writer.begin();
  const auto random_page = [&] {
    auto page = bytes(page_size, static_cast<std::byte>(random()));
    const auto noise = random_bytes(random, random() % 3 == 0 ? page_size : 64);
    std::ranges::copy(noise, page.begin());
    return page;
  };
  for (int round = 0; round < shape.rounds; ++round) {
    const bool last = round + 1 == shape.rounds;
    for (uint32_t block = 0; block < blocks.size(); ++block) {
      if (!last)
        writer.begin_part();
      else if (block == 0)
        writer.begin_last();
      for (uint64_t at = 0; at < blocks[block].size_bytes; at += page_size) {
        if (round > 0 && random() % 4 != 0)
          continue;
        if (random() % 3 == 0)
          writer.zero_page(block, at);
        else
          writer.page(block, at, random_page());
        if (!last && random() % 50 == 0) {
          writer.end_part();
          writer.begin_part();
        }
      }
      // Only the very last section of memory may be an END.
      if (last && block + 1 < blocks.size())
        continue;
      writer.end_part();
    }
  }
  writer.finish(random_bytes(random, shape.tail_bytes));
  return writer.take();
}

bytes noise_stream(random_numbers& random, size_t pages) {
  stream_writer writer{{{"pc.ram", pages * page_size}}, true};
  writer.begin();
  writer.begin_part();
  for (size_t page = 0; page < pages; ++page)
    writer.page(0, page * page_size, random_bytes(random, page_size));
  writer.end_part();
  writer.begin_last();
  writer.end_part();
  writer.finish(random_bytes(random, 100));
  return writer.take();
}

std::vector<std::filesystem::path> captured_streams() {
  std::vector<std::filesystem::path> files;
  const char* folder = std::getenv("NOVACRON_STREAMS");
  if (folder == nullptr) {
    MESSAGE("skipped: NOVACRON_STREAMS names no folder of captured streams");
    return files;
  }
  for (const auto& each : std::filesystem::directory_iterator{folder})
    if (each.is_regular_file())
      files.push_back(each.path());
  REQUIRE_MESSAGE(!files.empty(), std::string{folder} << " holds no streams");
  std::ranges::sort(files);
  return files;
}

bytes read_file(const std::filesystem::path& file, size_t limit) {
  bytes x(std::min<size_t>(limit, std::filesystem::file_size(file)));
  std::ifstream in{file, std::ios::binary};
  in.read(reinterpret_cast<char*>(x.data()), static_cast<std::streamsize>(x.size()));
  return x;
}

} // namespace novacron::testing
