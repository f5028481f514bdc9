#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"
#include "odd_ends.hpp"

#include <atomic>
#include <cstdlib>
#include <doctest/doctest.h>
#include <new>

using namespace novacron;
using namespace novacron::testing;

namespace {

/// While it is set there is no memory for pieces as large as a page store takes.
std::atomic<bool> scarce{false};
constexpr size_t large_bytes = 1u << 20;

} // namespace

// For the whole program of tests, in all forms: what one of them took, another gives back.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return scarce && bytes >= large_bytes ? nullptr : std::malloc(bytes);
}

void* operator new(size_t bytes) {
  if (auto* memory = operator new(bytes, std::nothrow))
    return memory;
  throw std::bad_alloc{};
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace {

/// A batch of one page, which the destination is to hold.
frame batch_of_a_page(odd_source& source, uint64_t page) {
  bytes head;
  put_big_endian(head, page * page_size | qemu_stream::ram_flag::page
                           | qemu_stream::ram_flag::same_block);
  const bytes content(page_size, std::byte{1});
  source.encoder.add({record_kind::page, 0, page * page_size, head, content});
  return source.batch(page, {});
}

} // namespace

TEST_CASE("a destination without memory for the pages ends the session, and both ends hear why") {
  odd_source x;
  REQUIRE(x.open(*x.there, 0, 1, {batch_dialect::held_pages, 64u << 20, 1}));
  auto guest = x.pair.incoming->accept();
  const auto batch = batch_of_a_page(x, 0);
  scarce = true;
  CHECK(x.there->say(batch));
  x.check_ended(dwcp_errc::too_many);
  scarce = false;
  const auto reason = why(x.pair.received.wait());
  CHECK_MESSAGE(reason.find("raise this process's limits") != std::string::npos, reason);
  CHECK(guest.read_all().empty());
}
