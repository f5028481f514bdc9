#include "hypervisor/errors.hpp"
#include "hypervisor/simulated/memory_reader.hpp"
#include "hypervisor/simulated/tick_program.hpp"
#include "messages/page_stream.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <thread>

using namespace novacron;

namespace {

std::vector<std::byte> stream_of(guest_memory& memory) {
  stream_writer writer{{{simulated_block, memory.size_bytes()}}};
  auto write = [&](uint64_t page) {
    if (memory.is_zero(page))
      writer.zero_page(0, page * page_size);
    else
      writer.page(0, page * page_size, memory.page(page));
  };
  writer.begin();
  writer.begin_part();
  for (uint64_t page = 0; page < memory.pages(); ++page)
    write(page);
  writer.end_part();
  tick_program::tick(memory, tick_program::period);
  writer.begin_last();
  for (auto page : memory.take_dirty())
    write(page);
  writer.end_part();
  writer.finish(simulated_device_state("it", memory.digest()));
  return writer.take();
}

result<void> read_back(const std::vector<std::byte>& bytes, guest_memory& memory) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  std::atomic<bool> stop{false};
  stream_socket in{ends[0]};
  result<void> outcome;
  std::thread reader{[&] {
    outcome = read_memory(in, "it", memory, stop);
    stop = true;
  }};
  {
    stream_socket out{ends[1]};
    static_cast<void>(out.write(bytes, stop));
  }
  reader.join();
  return outcome;
}

} // namespace

TEST_CASE("a simulated stream brings the source's memory") {
  guest_memory source{64};
  tick_program::boot(source, "novacron.seed=7", 50);
  auto bytes = stream_of(source);
  guest_memory destination{64};
  CHECK(read_back(bytes, destination).has_value());
  CHECK(destination.digest() == source.digest());
  CHECK(source.digest() != guest_memory{64}.digest());
}

TEST_CASE("a simulated stream that lacks its last byte is refused") {
  guest_memory source{16};
  tick_program::boot(source, "novacron.seed=7", 50);
  auto bytes = stream_of(source);
  bytes.pop_back();
  guest_memory destination{16};
  CHECK(!read_back(bytes, destination).has_value());
}

TEST_CASE("a simulated stream with any byte changed, or cut anywhere, is refused or harmless") {
  guest_memory source{16};
  tick_program::boot(source, "novacron.seed=7", 50);
  const auto bytes = stream_of(source);
  for (size_t at = 0; at < bytes.size(); at += 211) {
    auto changed = bytes;
    changed[at] ^= std::byte{0x10};
    guest_memory destination{16};
    auto outcome = read_back(changed, destination);
    bool same_or_refused = !outcome.has_value() || destination.digest() == source.digest();
    CHECK_MESSAGE(same_or_refused, "byte ", at);
    changed.resize(at);
    guest_memory shorter{16};
    CHECK_MESSAGE(!read_back(changed, shorter).has_value(), "cut at ", at);
  }
}
