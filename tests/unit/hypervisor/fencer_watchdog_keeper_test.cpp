#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/watchdog_keeper.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// What was done to a device, and how it behaves; outlives it.
struct device_book {
  std::vector<std::string> calls;
  std::chrono::seconds shortest{1};
  bool rounds_up = false; ///< rather than to refuse what is too short
  bool broken = false;
};

class fake_device final : public watchdog_device {
public:
  explicit fake_device(device_book& book) : book_{book} {}

  result<std::chrono::seconds> set_timeout(std::chrono::seconds wanted) override {
    if (book_.broken || (wanted < book_.shortest && !book_.rounds_up))
      return make_failure(hypervisor_errc::refused, "no such timeout");
    const auto set = std::max(wanted, book_.shortest);
    book_.calls.push_back(std::to_string(set.count()));
    return set;
  }
  result<void> pet() override {
    if (book_.broken)
      return make_failure(hypervisor_errc::refused, "it is broken");
    book_.calls.emplace_back("pet");
    return {};
  }
  result<void> disarm() override {
    book_.calls.emplace_back("disarm");
    return {};
  }

private:
  device_book& book_;
};

watchdog_keeper armed(device_book& book, std::chrono::seconds timeout = 6s) {
  auto keeper = watchdog_keeper::arm(std::make_unique<fake_device>(book), timeout);
  REQUIRE(keeper.has_value());
  book.calls.clear();
  return std::move(*keeper);
}

const std::optional<std::chrono::nanoseconds> deadline{100s};

} // namespace

TEST_CASE("a watchdog is petted four times a second while all is well") {
  device_book book;
  auto keeper = armed(book);
  for (auto now = 50'000ms; now < 52'000ms; now += 10ms)
    keeper.tick(now, deadline, false);
  CHECK(book.calls == std::vector<std::string>(8, "pet"));
  CHECK(keeper.next() == 52'000ms);
}

TEST_CASE("with the deadline the watchdog's timeout becomes shorter, then the pets end") {
  device_book book;
  auto keeper = armed(book, 4s);
  std::chrono::nanoseconds last{0};
  for (auto now = 97'000ms; now < 110'000ms; now += 50ms) {
    const auto before = book.calls.size();
    keeper.tick(now, deadline, false);
    if (book.calls.size() > before)
      last = now;
  }
  CHECK(last == 101s);
  std::erase(book.calls, "pet");
  CHECK(book.calls == std::vector<std::string>{"3", "2", "1"});
}

TEST_CASE("once the guests are dead the watchdog has its timeout back, at once") {
  device_book book;
  auto keeper = armed(book);
  keeper.tick(101s, deadline, false);
  REQUIRE(book.calls.back() == "1");
  keeper.tick(101s + 10ms, deadline, true);
  CHECK(book.calls.back() == "6");
}

TEST_CASE("a watchdog that can't be made short enough is left alone until it may be petted") {
  for (const bool rounds_up : {false, true}) {
    CAPTURE(rounds_up);
    device_book book;
    book.shortest = 4s;
    book.rounds_up = rounds_up;
    auto keeper = armed(book);
    for (auto now = 98'500ms; now < 102'000ms; now += 250ms)
      keeper.tick(now, deadline, false);
    CHECK(book.calls.size() == (rounds_up ? 1 : 0));
    keeper.tick(103s, deadline, true);
    CHECK(book.calls.back() == (rounds_up ? "6" : "pet"));
  }
}

TEST_CASE("a watchdog that takes another timeout than it should is refused, and disarmed") {
  for (const bool rounds_up : {false, true}) {
    device_book book;
    book.shortest = 60s;
    book.rounds_up = rounds_up;
    auto keeper = watchdog_keeper::arm(std::make_unique<fake_device>(book), 6s);
    REQUIRE_FALSE(keeper.has_value());
    CHECK(keeper.error().code == hypervisor_errc::refused);
    CHECK(book.calls.back() == "disarm");
  }
}

TEST_CASE("a pet that fails is tried again, and nothing else happens") {
  device_book book;
  auto keeper = armed(book);
  book.broken = true;
  keeper.tick(50s, deadline, false);
  CHECK(book.calls.empty());
  book.broken = false;
  keeper.tick(50s + 250ms, deadline, false);
  CHECK(book.calls == std::vector<std::string>{"pet"});
}

TEST_CASE("a fencer that ends disarms the watchdog, but not while guests live that had to die") {
  device_book book;
  auto keeper = armed(book);
  keeper.end(false);
  CHECK(book.calls.empty());
  keeper.end(true);
  CHECK(book.calls == std::vector<std::string>{"disarm"});
}
