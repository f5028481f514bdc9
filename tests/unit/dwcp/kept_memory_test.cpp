#include "dwcp/kept_memory/kept_memory.hpp"
#include "dwcp/kept_memory/memory_lender.hpp"
#include "qemu_pair.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <fstream>
#include <sys/stat.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

namespace fs = std::filesystem;

constexpr uint64_t mib = 1u << 20;
constexpr vm_id one{{0, 1}};
constexpr vm_id two{{0, 2}};
constexpr vm_id three{{0, 3}};

bytes page_of(unsigned filler) {
  return bytes(page_size, static_cast<std::byte>(filler));
}

void keep(memory_recorder& recorder, uint64_t page, unsigned filler) {
  const auto content = page_of(filler);
  recorder.keep({0, page}, std::span{content}.first<page_size>());
}

/// What is lent, as the fillers of its pages.
std::vector<unsigned> lent_to(kept_memory& kept, vm_id guest) {
  std::vector<unsigned> fillers;
  const auto lent = kept.lend(guest);
  std::array<std::byte, page_size> page;
  for (uint64_t i = 0; lent && lent->read(i, page); ++i) {
    CHECK(std::ranges::all_of(page, [&](auto x) { return x == page[0]; }));
    fillers.push_back(std::to_integer<unsigned>(page[0]));
  }
  return fillers;
}

bool comes_to(kept_memory& kept, vm_id guest, const std::vector<unsigned>& fillers) {
  return eventually([&] { return lent_to(kept, guest) == fillers; });
}

/// Keeps a guest of `pages` pages, from `filler` on, and waits until it is there.
void keep_guest(kept_memory& kept, vm_id guest, unsigned pages, unsigned filler) {
  auto recorder = kept.record(guest);
  for (unsigned i = 0; i < pages; ++i)
    keep(*recorder, i, filler + i);
  recorder->end(true);
  REQUIRE(eventually([&] {
    const auto lent = lent_to(kept, guest);
    return lent.size() >= pages && lent[0] == filler;
  }));
}

fs::path file_of(const fs::path& kept, vm_id guest) {
  return kept / (to_string(guest) + ".pages");
}

/// As if the guest had been kept for `age` already.
void grow_old(const fs::path& kept, vm_id guest, fs::file_time_type::duration age) {
  fs::last_write_time(file_of(kept, guest), fs::file_time_type::clock::now() - age);
}

size_t files_in(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator{folder}, {}));
}

} // namespace

TEST_CASE("what is kept of a guest is the last version of each page, in the order they came") {
  const temporary_folder folder;
  const auto kept = kept_memory::open(folder / "kept", 10 * mib).value();
  CHECK(kept->lend(one) == nullptr);
  auto recorder = kept->record(one);
  for (uint64_t i = 0; i < 100; ++i)
    keep(*recorder, 1000 - i, static_cast<unsigned>(i));
  keep(*recorder, 990, 200);         // the tenth, again
  CHECK(kept->lend(one) == nullptr); // not before its session has ended
  recorder->end(true);
  std::vector<unsigned> expected(100);
  for (unsigned i = 0; i < 100; ++i)
    expected[i] = i == 10 ? 200 : i;
  CHECK(comes_to(*kept, one, expected));
  CHECK(kept->bytes() == 100 * page_size);
}

TEST_CASE("a guest's own pages come first, then those that were kept last") {
  const temporary_folder folder;
  const auto kept = kept_memory::open(folder / "kept", 10 * mib).value();
  keep_guest(*kept, one, 2, 10);
  keep_guest(*kept, two, 2, 20);
  keep_guest(*kept, three, 2, 30);
  CHECK(lent_to(*kept, one) == std::vector<unsigned>{10, 11, 30, 31, 20, 21});
  CHECK(lent_to(*kept, {{0, 9}}) == std::vector<unsigned>{30, 31, 20, 21, 10, 11});
}

TEST_CASE("part of a guest takes the place of less of it, never of all of it") {
  const temporary_folder folder;
  const auto kept = kept_memory::open(folder / "kept", 10 * mib).value();
  keep_guest(*kept, one, 3, 10);
  const auto broken_off = [&](unsigned pages) {
    auto recorder = kept->record(one);
    for (unsigned i = 0; i < pages; ++i)
      keep(*recorder, i, 50 + i);
  };
  broken_off(3);
  broken_off(4);
  CHECK(comes_to(*kept, one, {50, 51, 52, 53}));
  broken_off(2);
  keep_guest(*kept, two, 1, 1); // written after it
  CHECK(lent_to(*kept, one) == std::vector<unsigned>{50, 51, 52, 53, 1});
  keep_guest(*kept, one, 1, 99);
  CHECK(lent_to(*kept, one) == std::vector<unsigned>{99, 1});
}

TEST_CASE("the oldest makes room, what is lent goes on, and more than the bound is never there") {
  const temporary_folder folder;
  const auto kept = kept_memory::open(folder / "kept", 6 * page_size).value();
  keep_guest(*kept, one, 3, 10);
  keep_guest(*kept, two, 3, 20);
  const auto lent = kept->lend(one);
  REQUIRE(lent != nullptr);
  keep_guest(*kept, three, 2, 30);
  CHECK(lent_to(*kept, one) == std::vector<unsigned>{30, 31, 20, 21, 22});
  std::array<std::byte, page_size> page;
  REQUIRE(lent->read(2, page)); // of the one that went
  CHECK(page[0] == std::byte{12});

  auto larger = kept->record(one);
  for (unsigned i = 0; i < 9; ++i)
    keep(*larger, i, 40 + i);
  keep(*larger, 0, 60);
  larger->end(true);
  CHECK(comes_to(*kept, one, {60, 41, 42, 43, 44, 45}));
  CHECK(kept->bytes() == 6 * page_size);
}

TEST_CASE("files outlive the process, what it didn't end doesn't, and others don't read them") {
  const temporary_folder folder;
  const auto where = folder / "kept";
  {
    const auto kept = kept_memory::open(where, 10 * mib).value();
    keep_guest(*kept, one, 2, 10);
  }
  std::ofstream{where / "7.part"} << "half a page";
  std::ofstream{where / "notes.txt"} << "not ours";
  const auto kept = kept_memory::open(where, 10 * mib).value();
  CHECK(lent_to(*kept, one) == std::vector<unsigned>{10, 11});
  CHECK(kept->bytes() == 2 * page_size);
  CHECK(!fs::exists(where / "7.part"));
  CHECK(fs::exists(where / "notes.txt"));
  struct stat about {};
  REQUIRE(::stat(where.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0700);
  REQUIRE(::stat(file_of(where, one).c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE("a smaller bound than before holds from the start") {
  const temporary_folder folder;
  {
    const auto kept = kept_memory::open(folder / "kept", 10 * mib).value();
    keep_guest(*kept, one, 3, 10);
    keep_guest(*kept, two, 2, 20);
  }
  grow_old(folder / "kept", one, 1min);
  const auto kept = kept_memory::open(folder / "kept", 4 * page_size).value();
  CHECK(lent_to(*kept, one) == std::vector<unsigned>{20, 21});
}

TEST_CASE("what is a day old goes, and what its guest's deletion makes useless") {
  const temporary_folder folder;
  {
    const auto kept = kept_memory::open(folder / "kept", 10 * mib).value();
    keep_guest(*kept, one, 2, 10);
    keep_guest(*kept, two, 2, 20);
    keep_guest(*kept, three, 2, 30);
  }
  grow_old(folder / "kept", one, kept_memory::longest + 1min);
  grow_old(folder / "kept", two, 1min);
  const auto kept = kept_memory::open(folder / "kept", 10 * mib).value();
  CHECK(comes_to(*kept, one, {30, 31, 20, 21}));
  kept->forget(three);
  CHECK(comes_to(*kept, one, {20, 21}));
  CHECK(files_in(folder / "kept") == 1);
}

TEST_CASE("a disk without room ends the recording, nothing else, and leaves nothing") {
  const temporary_folder folder;
  const auto where = folder / "kept";
  const auto kept = kept_memory::open(where, 10 * mib).value();
  auto recorder = kept->record(one);
  for (const auto& each : fs::directory_iterator{where}) // as if it were a full disk
    fs::remove(each);
  fs::create_symlink("/dev/full", where / "1.part");
  auto full = kept->record(two); // 1.part is the next
  for (unsigned i = 0; i < 200; ++i)
    keep(*full, i, i);
  full->end(true);
  recorder->end(true);
  keep_guest(*kept, three, 2, 30); // written after both
  CHECK(lent_to(*kept, two) == std::vector<unsigned>{30, 31});
  CHECK(kept->bytes() == 2 * page_size);
  CHECK(files_in(where) == 1);
}

TEST_CASE("a folder that can't be had is told, with the remedy") {
  const temporary_folder folder;
  std::ofstream{folder / "file"} << "not a folder";
  const auto kept = kept_memory::open(folder / "file" / "kept", mib);
  REQUIRE(!kept.has_value());
  CHECK(kept.error().message.find("host.kept_memory_mib") != std::string::npos);
}

TEST_CASE("a lender digests all that is lent, in parts, and waits for who takes them") {
  const temporary_folder folder;
  const auto kept = kept_memory::open(folder / "kept", 100 * mib).value();
  const unsigned pages = 6 * memory_lender::pages_a_part + 7;
  keep_guest(*kept, one, pages, 0);
  const auto lent = kept->lend(one);
  std::atomic<int> calls{0};
  {
    const memory_lender nobody_takes{*lent, [&] { ++calls; }};
    CHECK(eventually([&] { return calls == memory_lender::parts_ahead; }));
  } // and ends all the same
  CHECK(calls == memory_lender::parts_ahead);
  memory_lender lender{*lent, [] {}};
  uint64_t next = 0;
  REQUIRE(eventually([&] {
    while (const auto part = lender.take()) {
      CHECK(part->first == next);
      for (const auto& each : part->digests) {
        const auto page = page_of(static_cast<unsigned>(next++ % 256));
        CHECK(each == digest_of_page(std::span{page}.first<page_size>()));
      }
    }
    return lender.done();
  }));
  CHECK(next == pages);
}
