#include "messages/descriptor.hpp"

#include <array>
#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>

using namespace novacron;

namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

descriptor any_file() {
  return descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
}

} // namespace

TEST_CASE("a descriptor is closed with its owner, and not before") {
  int fd = -1;
  {
    const auto owner = any_file();
    REQUIRE(owner);
    fd = owner.get();
    CHECK(is_open(fd));
  }
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("a descriptor that was moved from owns nothing, and closes nothing") {
  auto first = any_file();
  const int fd = first.get();
  {
    descriptor second{std::move(first)};
    CHECK(second.get() == fd);
    CHECK_FALSE(first); // NOLINT(bugprone-use-after-move): that is the question
    first = std::move(second);
  }
  CHECK(is_open(fd));
  CHECK(first.get() == fd);
}

TEST_CASE("what an assignment replaces is closed at once") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  descriptor reading{ends[0]};
  descriptor writing{ends[1]};
  auto other = any_file();
  writing = std::move(other);
  CHECK_FALSE(is_open(ends[1]));
  char byte = 0;
  CHECK(::read(reading.get(), &byte, 1) == 0); // the reader sees the end
}

TEST_CASE("a descriptor that is assigned to itself stays open") {
  auto owner = any_file();
  auto& same = owner;
  owner = std::move(same);
  REQUIRE(owner);
  CHECK(is_open(owner.get()));
}

TEST_CASE("a call's failure is owned by nobody, and its reason is kept") {
  errno = 0;
  const descriptor nothing{::open("/no/such/file", O_RDONLY | O_CLOEXEC)};
  CHECK_FALSE(nothing);
  { const descriptor goes{nothing.get()}; }
  CHECK(errno == ENOENT);
}

TEST_CASE("a descriptor can be given up early, and is closed once") {
  auto owner = any_file();
  const int fd = owner.get();
  owner.reset();
  CHECK_FALSE(is_open(fd));
  const auto next = any_file(); // takes the lowest free number, which was ours
  CHECK(next.get() == fd);
  owner.reset();
  CHECK(is_open(fd));
}
