#include "hypervisor/fencer/chore.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace novacron;
namespace fs = std::filesystem;

namespace {

/// A log in a folder of its own.
class log_folder {
public:
  log_folder() { REQUIRE(::mkdtemp(name_.data()) != nullptr); }
  ~log_folder() { fs::remove_all(name_); }

  [[nodiscard]] fs::path path() const { return fs::path{name_} / "x.log"; }
  [[nodiscard]] fs::path older() const { return fs::path{name_} / "x.log.1"; }

private:
  std::string name_ = "/tmp/novacron-log-XXXXXX";
};

/// Writes as somebody who would rather wait than lose a line.
void write_all(const descriptor& out, std::string_view text) {
  while (!text.empty()) {
    pollfd room{out.get(), POLLOUT, 0};
    REQUIRE(::poll(&room, 1, 10'000) == 1);
    const auto n = ::write(out.get(), text.data(), text.size());
    if (n > 0)
      text.remove_prefix(static_cast<size_t>(n));
  }
}

/// Closes the log and waits until its copier has ended, and every other child.
void finish(descriptor& out) {
  out.reset();
  while (::wait(nullptr) > 0)
    continue;
}

std::string content_of(const fs::path& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("what is written to a log's copier is appended to the log") {
  const log_folder folder;
  const bounded_log log{folder.path()};
  for (const char* line : {"one\n", "two\n"}) {
    auto out = start_log_copier(log);
    REQUIRE(out);
    write_all(out, line);
    finish(out);
  }
  CHECK(content_of(folder.path()) == "one\ntwo\n");
  CHECK_FALSE(fs::exists(folder.older()));
}

TEST_CASE("a log that is written to for ever stays within its bound and keeps the latest lines") {
  const log_folder folder;
  auto out = start_log_copier(bounded_log{folder.path()});
  REQUIRE(out);
  const auto most = static_cast<uintmax_t>(bounded_log::bound_bytes) + 4096;
  const std::string line(1'023, 'x');
  for (int i = 0; i < 5 * (8 << 10); ++i) // five times the bound
    write_all(out, line + '\n');
  write_all(out, "the last\n");
  finish(out);
  CHECK(fs::file_size(folder.path()) <= most);
  REQUIRE(fs::exists(folder.older()));
  CHECK(fs::file_size(folder.older()) <= most);
  CHECK(content_of(folder.path()).ends_with("x\nthe last\n"));
}

TEST_CASE("a copier that doesn't read holds nobody up") {
  const log_folder folder;
  REQUIRE(::mkfifo(folder.path().c_str(), 0600) == 0); // opening it waits for a reader
  auto out = start_log_copier(bounded_log{folder.path()});
  REQUIRE(out);
  const std::string much(1 << 20, 'x');
  CHECK(::write(out.get(), much.data(), much.size()) < static_cast<ssize_t>(much.size()));
  // Lets the copier end.
  const descriptor reader{::open(folder.path().c_str(), O_RDONLY | O_NONBLOCK)};
  out.reset();
  std::string copied(1 << 20, ' ');
  pollfd more{reader.get(), POLLIN, 0};
  while (::waitpid(-1, nullptr, WNOHANG) >= 0)
    if (::poll(&more, 1, 10) == 1)
      (void)!::read(reader.get(), copied.data(), copied.size());
}
