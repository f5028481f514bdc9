#include "actors/migration/page_cost.hpp"
#include "hypervisor/console/console_watch.hpp"
#include "tests/becomes_true.hpp"
#include "tests/lab/qemu/bare_guest.hpp"
#include "tests/unit/dwcp/qemu_pair.hpp"

#include <doctest/doctest.h>
#include <fstream>

// Guests of several shapes, from one QEMU to another by a page session, without libvirt: whether
// DWCP understands what their machines write, and whether each goes on as it was. One whose memory
// is several blocks isn't among them: under TCG, QEMU 10.0 doesn't send all that such a guest has
// written (what it wrote and what the other one read were the same bytes, and the guest crashed).

using namespace novacron;
using namespace std::chrono_literals;

namespace {

constexpr auto boot_limit = 180s;
constexpr auto move_limit = 120s;
constexpr size_t settled_ticks = 5;

struct guest_shape {
  std::string name;
  std::string memory = "256";
  std::vector<std::string> devices{};
};

class moved_shape {
public:
  explicit moved_shape(const guest_shape& shape)
      : shape_{shape}, source_{guest("source", "")}, destination_{guest("destination", "defer")} {
    pair_.incoming.reset(); // QEMU listens there
    std::filesystem::remove(pair_.receiving.stream_socket);
  }

  void move() {
    REQUIRE(console_.wait_for_ticks(settled_ticks, boot_limit));
    destination_.monitor().call("migrate-incoming",
                                {{"uri", "unix:" + pair_.receiving.stream_socket.string()}});
    pair_.expect();
    pair_.start();
    source_.monitor().call("migrate-set-parameters",
                           {{"max-bandwidth", uint64_t{1} << 40}, {"downtime-limit", 300}});
    source_.monitor().call("migrate", {{"uri", "unix:" + pair_.sending.stream_socket.string()}});
    CHECK(becomes_true(move_limit, [&] { return destination_.monitor().saw("RESUME"); }));
    source_.wait_until_sent(move_limit);
    const auto sent = pair_.sent.wait();
    const auto received = pair_.received.wait();
    REQUIRE_MESSAGE(sent.has_value(), testing::why(sent));
    REQUIRE_MESSAGE(received.has_value(), testing::why(received));
    CHECK(sent->chain_ok);
    const auto warning = raw_warning(*sent);
    CHECK_MESSAGE(!warning, warning.value_or(""));
    MESSAGE(shape_.name, ": ", sent->guest_bytes >> 20, " MiB of the guest, ",
            sent->wire_bytes >> 20, " on the wire, ", sent->opaque_bytes >> 10, " KiB raw");
  }

  void check_it_goes_on() {
    CHECK(console_.wait_for_ticks(2 * settled_ticks, boot_limit));
    const auto sweep = console_.summary().sweep + 2;
    CHECK(console_.wait_until([&](const tick_summary& x) { return x.sweep >= sweep; }, boot_limit));
    const auto ticks = console_.summary();
    CHECK(ticks.memory_ok);
    CHECK(ticks.missing == 0);
    CHECK(ticks.repeated == 0);
  }

private:
  lab::bare_guest guest(const std::string& name, const std::string& incoming) {
    return lab::bare_guest{{.folder = folder_ / "",
                            .name = name,
                            .image = NOVACRON_GUEST_FOLDER,
                            .kernel_arguments = "novacron.region=16 novacron.sweep=2 "
                                                "novacron.dirty=4 novacron.mode=part",
                            .incoming = incoming,
                            .memory = shape_.memory,
                            .devices = shape_.devices}};
  }

  const guest_shape shape_;
  testing::temporary_folder folder_;
  testing::qemu_pair pair_;
  lab::bare_guest source_;
  lab::bare_guest destination_;
  console_watch console_{{source_.serial(), destination_.serial()}};
};

void check_moves(const guest_shape& shape) {
  CAPTURE(shape.name);
  moved_shape guest{shape};
  guest.move();
  guest.check_it_goes_on();
}

/// Pages of 2 MiB, while it lives.
class huge_pages {
public:
  explicit huge_pages(int count) {
    std::ifstream{setting} >> before_;
    std::ofstream{setting} << count;
    std::ifstream{setting} >> got_;
  }
  huge_pages(const huge_pages&) = delete;
  huge_pages& operator=(const huge_pages&) = delete;
  ~huge_pages() { std::ofstream{setting} << before_; }

  [[nodiscard]] int got() const { return got_; }

private:
  static constexpr const char* setting = "/proc/sys/vm/nr_hugepages";
  int before_ = 0;
  int got_ = 0;
};

} // namespace

TEST_CASE("guests of half a GiB and of two move") {
  check_moves({"512 MiB", "512"});
  check_moves({"2 GiB", "2048"});
}

TEST_CASE("a guest with huge pages moves") {
  constexpr int two_guests = 256; // of 256 MiB each
  const huge_pages pages{two_guests};
  if (pages.got() < two_guests) {
    MESSAGE("skipped: this machine gives " << pages.got() << " huge pages, not " << two_guests);
    return;
  }
  check_moves({"huge pages",
               "256",
               {"-object", "memory-backend-memfd,id=huge,size=256M,hugetlb=on,hugetlbsize=2M",
                "-machine", "memory-backend=huge"}});
}

TEST_CASE("a guest with a disk moves, and its disk is the other QEMU's from then on") {
  const testing::temporary_folder folder;
  const auto disk = folder / "disk.raw";
  std::ofstream{disk};
  std::filesystem::resize_file(disk, 64u << 20);
  check_moves({"a disk",
               "256",
               {"-drive", "file=" + disk.string() + ",format=raw,if=none,id=disk", "-device",
                "virtio-blk-pci,drive=disk"}});
}
