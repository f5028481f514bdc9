#include "tests/integration/held_resources.hpp"

#include <malloc.h>

namespace novacron::test {

namespace fs = std::filesystem;

namespace {

template <class Iterator>
size_t count(const fs::path& folder) {
  std::error_code gone; // what goes meanwhile isn't held
  size_t found = 0;
  for (Iterator x{folder, fs::directory_options::skip_permission_denied, gone}; x != Iterator{};
       x.increment(gone))
    ++found;
  return found;
}

} // namespace

held_resources held_resources::now(const std::vector<fs::path>& folders) {
  held_resources x;
  x.threads = count<fs::directory_iterator>("/proc/self/task");
  x.descriptors = count<fs::directory_iterator>("/proc/self/fd") - 1; // what counts them
  for (const auto& folder : folders)
    x.files += count<fs::recursive_directory_iterator>(folder);
  const auto heap = ::mallinfo2();
  x.heap_bytes = heap.uordblks + heap.hblkhd;
  return x;
}

bool held_resources::within(const held_resources& before, size_t heap_room) const {
  return threads <= before.threads && descriptors <= before.descriptors && files <= before.files
         && heap_bytes <= before.heap_bytes + heap_room;
}

std::string to_string(const held_resources& x) {
  return std::to_string(x.threads) + " threads, " + std::to_string(x.descriptors) + " descriptors, "
         + std::to_string(x.files) + " files, " + std::to_string(x.heap_bytes >> 20)
         + " MiB of heap";
}

} // namespace novacron::test
