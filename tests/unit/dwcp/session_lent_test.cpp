#include "dwcp/kept_memory/kept_memory.hpp"
#include "messages/page_stream.hpp"
#include "odd_ends.hpp"

using namespace novacron;
using namespace novacron::testing;

// Sessions of guests that were here before.

namespace {

constexpr vm_id guest{{0, 1}};
constexpr size_t guest_pages = 3000;
constexpr uint64_t bound = 100u << 20;

/// A guest's memory, as its QEMU writes it: what comes before it, and the rest.
struct guest_memory {
  std::vector<bytes> pages;

  explicit guest_memory(random_numbers& random) {
    for (size_t i = 0; i < guest_pages; ++i)
      pages.push_back(random_bytes(random, page_size));
  }
  [[nodiscard]] std::pair<bytes, bytes> stream() const {
    stream_writer writer{{{"pc.ram", guest_pages * page_size}}, true};
    writer.begin();
    auto head = writer.take();
    writer.begin_part();
    for (size_t i = 0; i < guest_pages; ++i)
      writer.page(0, i * page_size, pages[i]);
    writer.end_part();
    writer.begin_last();
    writer.end_part();
    writer.finish(bytes(100, std::byte{1}));
    return {head, writer.take()};
  }
};

/// Carries the guest; once the source knows of `offered` pages, its memory. What the session cost.
session_statistics carry(qemu_pair& pair, const guest_memory& memory, uint64_t offered) {
  auto [source, destination] = pair.connect();
  const auto [head, rest] = memory.stream();
  auto whole = head;
  whole.insert(whole.end(), rest.begin(), rest.end());
  REQUIRE(source.write(head));
  REQUIRE(eventually([&] { return pair.sender->statistics().offered_pages == offered; }));
  std::thread writer{[&, &out = source] { out.write(rest); }};
  CHECK(destination.read(whole.size()) == whole);
  destination.write(qemu_stream::shut_message());
  destination.close();
  writer.join();
  source.read(8);
  source.close();
  const auto sent = pair.sent.wait();
  REQUIRE(why(sent) == "");
  REQUIRE(why(pair.received.wait()) == "");
  return *sent;
}

bool keeps_all(const std::shared_ptr<kept_memory>& kept) {
  return eventually([&] {
    const auto lent = kept->lend(guest);
    return lent && lent->pages() >= guest_pages - 1;
  });
}

} // namespace

TEST_CASE("a guest that goes home costs what has changed since it left") {
  random_numbers random{60};
  const temporary_folder folder;
  const auto home = kept_memory::open(folder / "home", bound).value();
  guest_memory memory{random};
  {
    qemu_pair away;
    away.sending.kept = home;
    away.sending.guest = guest;
    const auto cost = carry(away, memory, 0);
    CHECK(cost.lent_pages == 0);
    CHECK(cost.wire_bytes > guest_pages * page_size);
  }
  REQUIRE(keeps_all(home));
  for (size_t i = 0; i < guest_pages; i += 100)
    memory.pages[i] = random_bytes(random, page_size);
  qemu_pair back;
  back.receiving.kept = home;
  back.receiving.guest = guest;
  const auto offered = home->lend(guest)->pages();
  const auto cost = carry(back, memory, offered);
  CHECK(cost.lent_pages >= guest_pages - 31);
  CHECK(cost.lent_pages < guest_pages - 29); // the first page has a head of its own
  CHECK(cost.wire_bytes < guest_pages * page_size / 20);
}

TEST_CASE("a host that a guest came to lends its pages to that guest's siblings") {
  random_numbers random{61};
  const temporary_folder folder;
  const auto there = kept_memory::open(folder / "there", bound).value();
  const guest_memory memory{random};
  for (const vm_id each : {guest, vm_id{{0, 2}}}) {
    qemu_pair pair;
    pair.receiving.kept = there;
    pair.receiving.guest = each;
    const auto lent = there->lend(each);
    const auto cost = carry(pair, memory, lent ? lent->pages() : 0);
    CHECK(cost.lent_pages == (lent ? guest_pages - 1 : 0));
    REQUIRE(keeps_all(there));
  }
}

TEST_CASE("a source that knows less is lent nothing") {
  random_numbers random{62};
  const temporary_folder folder;
  odd_source x;
  const auto kept = kept_memory::open(folder / "kept", bound).value();
  {
    auto recorder = kept->record(guest);
    const auto page = random_bytes(random, page_size);
    recorder->keep({0, 1}, std::span{page}.first<page_size>());
    recorder->end(true);
  }
  REQUIRE(eventually([&] { return kept->lend(guest) != nullptr; }));
  x.pair.receiver.reset(); // of a session that keeps nothing
  x.pair.receiving.kept = kept;
  x.pair.receiving.guest = guest;
  const auto is_lent = [&](batch_dialect dialect) {
    x.pair.expect();
    x.encoder = batch_encoder{session_seed(x.pair.ticket), 0};
    auto there = x.connect();
    REQUIRE(x.open(there, 0, 1, {dialect, 64u << 20, 1}));
    REQUIRE(there.say(x.batch(0)));
    bool acknowledged = false;
    bool lent = false;
    for (auto kind = there.hear(500ms).header.kind; kind != frame_kind::keepalive;
         kind = there.hear(500ms).header.kind) {
      acknowledged |= kind == frame_kind::ack;
      lent |= kind == frame_kind::lent;
    }
    CHECK(acknowledged);
    x.pair.receiver.reset();
    return lent;
  };
  CHECK(is_lent(batch_dialect::lent_pages));
  CHECK(!is_lent(batch_dialect::held_pages));
}

TEST_CASE("a destination that lends more than may be lent, or parts of digests, ends the session") {
  const auto check_source = [](batch_dialect dialect, uint64_t first, size_t payload,
                               dwcp_errc expected, int times = 1) {
    odd_destination x;
    odd_destination::accept(*x.there, {dialect, 1u << 20, 1});
    for (int i = 0; i < times; ++i)
      x.there->say(frame_kind::lent, first, {}, bytes(payload));
    if (expected == dwcp_errc::stream_broken) // it stands, and hears that
      x.there->say(frame_kind::abort, 0, {}, {static_cast<std::byte>(dwcp_errc::stream_broken)});
    CHECK(code(x.pair.sent.wait()) == expected);
  };
  constexpr auto stands = dwcp_errc::stream_broken;
  constexpr auto refused = dwcp_errc::malformed;
  constexpr int too_often = max_lent_pages * sizeof(page_digest) / max_lent_bytes + 1;
  check_source(batch_dialect::lent_pages, 0, 32, stands);
  check_source(batch_dialect::lent_pages, 0, 33, refused);
  check_source(batch_dialect::lent_pages, max_lent_pages, 32, refused);
  check_source(batch_dialect::held_pages, 0, 32, refused);
  check_source(batch_dialect::lent_pages, 0, max_lent_bytes, refused, too_often);
}
