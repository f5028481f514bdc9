#include "fenced_host.hpp"
#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/deadline_file.hpp"
#include "hypervisor/fencer/fencer_arguments.hpp"
#include "hypervisor/fencer/libvirtd_process.hpp"
#include "hypervisor/fencer/pid_handle.hpp"
#include "hypervisor/fencer/state_folder.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

/// How long a kill may take after the deadline, on a busy machine.
constexpr auto kill_time = 2s;

bool dies(int pid, std::chrono::milliseconds patience = kill_time) {
  return becomes_true(patience, [=] { return !alive(pid); });
}

/// A process that holds the client, as an agent does: it sets the deadline, says so and waits.
int start_agent(fenced_host& host, std::chrono::nanoseconds deadline) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  auto pid = ::fork();
  if (pid == 0) {
    auto client = fencer_client::attach(host.config, FENCER_PROGRAM);
    char done = client && client->set_deadline(deadline) ? 'y' : 'n';
    [[maybe_unused]] auto told = ::write(ends[1], &done, 1);
    while (true)
      ::pause();
  }
  ::close(ends[1]);
  char done = 'n';
  [[maybe_unused]] auto heard = ::read(ends[0], &done, 1);
  ::close(ends[0]);
  REQUIRE(done == 'y');
  return pid;
}

int parent_of(int pid) {
  auto facts = read_proc(pid, "status");
  return std::stoi(facts.substr(facts.find("PPid:") + 5));
}

std::string answer_to(const descriptor& socket, const std::string& packet) {
  ::send(socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  char answer[1024];
  auto n = ::recv(socket.get(), answer, sizeof answer, 0);
  return {answer, static_cast<size_t>(std::max<ssize_t>(n, 0))};
}

} // namespace

TEST_CASE("past the deadline only the ha guests of this host die, and a late one as well") {
  fenced_host host;
  auto client = host.attach();
  guest_mark elsewhere{{random_uuid()}, {random_uuid()}, {1, 1}, true};
  auto bound = host.start_guest(true);
  auto free = host.start_guest(false);
  auto foreign = host.start_guest(elsewhere);

  REQUIRE(client.set_deadline(boot_time() + 300ms).has_value());
  CHECK(dies(bound));
  CHECK(becomes_true(kill_time, [&] { return client.status()->killed == 1; }));
  CHECK(client.status()->fenced);

  // Killed while libvirt still starts it, or right after.
  host.create_guest(host.new_mark(true));
  CHECK(becomes_true(kill_time, [&] { return client.status()->killed == 2; }));
  CHECK(host.guests_running() == std::vector<int>{free});
  CHECK(alive(free));
  CHECK(alive(foreign));
  ::kill(foreign, SIGKILL);

  // A later deadline ends it.
  REQUIRE(client.set_deadline(boot_time() + 1h).has_value());
  CHECK_FALSE(client.status()->fenced);
  auto next = host.start_guest(true);
  CHECK_FALSE(dies(next, 500ms));
}

TEST_CASE("a deadline that is moved in time, or was never given, kills nothing") {
  fenced_host host;
  auto client = host.attach();
  auto guest = host.start_guest(true);
  CHECK_FALSE(client.status()->deadline.has_value());
  CHECK_FALSE(dies(guest, 300ms));
  auto end = boot_time() + 2s;
  while (boot_time() < end) {
    REQUIRE(client.set_deadline(boot_time() + 1s).has_value());
    CHECK_FALSE(dies(guest, 200ms));
  }
  CHECK(client.status()->killed == 0);
}

TEST_CASE("an agent that is frozen or dead does not save its guests") {
  fenced_host host;
  { auto started = host.attach(); }
  for (int signal : {SIGSTOP, SIGKILL}) {
    // Room for what the last round left: a deadline of the past.
    REQUIRE(host.attach_fencer().set_deadline(boot_time() + 1h).has_value());
    auto guest = host.start_guest(true);
    auto agent = start_agent(host, boot_time() + 1s);
    ::kill(agent, signal);
    CHECK(alive(guest));
    CHECK(dies(guest, 1s + kill_time));
    ::kill(agent, SIGKILL);
    ::waitpid(agent, nullptr, 0);
  }
}

TEST_CASE("a killed fencer is replaced, with its libvirtd, while guests run on") {
  fenced_host host;
  auto client = host.attach();
  auto guest = host.start_guest(true);
  REQUIRE(client.set_deadline(boot_time() + 1h).has_value());
  auto before = *client.status();
  ::kill(before.pid, SIGKILL);
  CHECK(dies(before.libvirtd_pid)); // nobody creates guests without a fencer
  CHECK_FALSE(client.status().has_value());

  auto again = host.attach();
  auto after = *again.status();
  CHECK(after.pid != before.pid);
  CHECK(after.libvirtd_pid != before.libvirtd_pid);
  CHECK(after.deadline == before.deadline);
  CHECK(alive(guest));
  CHECK(becomes_true(5s, [&] { return host.guests_listed() == 1; }));
  REQUIRE(again.set_deadline({}).has_value());
  CHECK(dies(guest));
}

TEST_CASE("a fencer ends a libvirtd of its folder that it isn't the parent of") {
  fenced_host host;
  libvirtd_process libvirtd{host.config};
  auto stray = libvirtd.start();
  REQUIRE(stray.has_value());
  REQUIRE(becomes_true(10s, [&] { return std::filesystem::exists(libvirtd.socket()); }));
  auto guest = host.start_guest(true);
  auto client = host.attach_fencer();
  CHECK(dies(*stray, 5s));
  ::kill(*stray, SIGKILL);
  ::waitpid(*stray, nullptr, 0);
  CHECK(becomes_true(5s, [&] { return client.status()->libvirtd_pid != 0; }));
  CHECK(becomes_true(10s, [&] { return host.guests_listed() == 1; }));
  CHECK(client.status()->libvirtd_pid != *stray);
  CHECK(alive(guest));
}

TEST_CASE("a deadline that passed while there was no fencer is enforced by the next one at once") {
  fenced_host host;
  auto client = host.attach();
  auto bound = host.start_guest(true);
  auto free = host.start_guest(false);
  auto deadline = boot_time() + 500ms;
  auto agent = start_agent(host, deadline);
  auto fencer = client.status()->pid;
  ::kill(agent, SIGKILL);
  ::kill(fencer, SIGKILL);
  ::waitpid(agent, nullptr, 0);
  REQUIRE(dies(fencer));
  REQUIRE(becomes_true(2s, [&] { return boot_time() > deadline + 300ms; }));
  CHECK(alive(bound)); // nobody restarted it: nobody kills

  auto again = host.attach_fencer();
  CHECK(dies(bound));
  CHECK(again.status()->fenced);
  CHECK(alive(free));
}

TEST_CASE("a libvirtd that is killed comes back and has its guests") {
  fenced_host host;
  auto client = host.attach();
  auto guest = host.start_guest(true);
  auto before = client.status()->libvirtd_pid;
  ::kill(before, SIGKILL);
  CHECK(becomes_true(5s, [&] {
    auto now = client.status()->libvirtd_pid;
    return now != 0 && now != before;
  }));
  CHECK(becomes_true(10s, [&] { return host.guests_listed() == 1; }));
  CHECK(alive(guest));
}

TEST_CASE("a second fencer on the same folder is refused, with the reason") {
  fenced_host host;
  auto client = host.attach_fencer();
  std::string command = FENCER_PROGRAM;
  for (const auto& x : fencer_arguments(host.config))
    command += " '" + x + "'";
  std::unique_ptr<FILE, int (*)(FILE*)> output{::popen((command + " 2>&1").c_str(), "r"), ::pclose};
  char said[512] = {};
  REQUIRE(std::fgets(said, sizeof said, output.get()) != nullptr);
  auto status = ::pclose(output.release());
  CHECK(WEXITSTATUS(status) == 2);
  CHECK(std::string{said}.find("another fencer is running on " + host.config.state.native())
        != std::string::npos);
  CHECK(client.status().has_value());
}

TEST_CASE("garbage on the control socket is refused and harms nobody") {
  fenced_host host;
  auto client = host.attach_fencer();
  REQUIRE(client.set_deadline(boot_time() + 1h).has_value());
  auto before = client.status()->deadline;
  for (const auto& packet :
       {std::string{"deadline"}, std::string{"deadline -1"}, std::string{"deadline 5x"},
        std::string{"status\n"}, std::string("\0\xff", 2), std::string(513, 'x'),
        std::string(60000, 'y'), std::string{"deadline 99999999999999999999999"}}) {
    auto socket = connect_in_folder(host.config.state);
    REQUIRE(socket.has_value());
    CHECK(answer_to(*socket, packet).starts_with("error "));
    CHECK(answer_to(*socket, "status").empty()); // put out
  }
  struct stat facts {};
  REQUIRE(::stat((host.config.state / "fencer.sock").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  // Idle clients can't keep the agent out.
  std::vector<descriptor> idle;
  for (int i = 0; i < 20; ++i)
    if (auto socket = connect_in_folder(host.config.state))
      idle.push_back(std::move(*socket));
  CHECK(host.attach_fencer().status()->deadline == before);
}

TEST_CASE(
    "who is neither root nor the fencer's user is put out, even with the socket open to him") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can be someone else");
    return;
  }
  fenced_host host;
  auto client = host.attach_fencer();
  ::chmod((host.config.state / "fencer.sock").c_str(), 0666);
  auto stranger = ::fork();
  if (stranger == 0) {
    if (::setresuid(65534, 65534, 65534) != 0)
      ::_exit(3);
    auto socket = connect_in_folder(host.config.state);
    ::_exit(!socket ? 2 : answer_to(*socket, "status").empty() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(stranger, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(client.status().has_value());
}

TEST_CASE("a disk that hangs under the deadline's file does not save the guests") {
  fenced_host host;
  auto client = host.attach();
  auto guest = host.start_guest(true);
  REQUIRE(client.set_deadline(boot_time() + 3s).has_value());
  // Who opens a FIFO for writing waits for a reader, as for a dead disk.
  REQUIRE(::mkfifo((host.config.state / "deadline.new").c_str(), 0600) == 0);
  auto moved = client.set_deadline(boot_time() + 1h);
  REQUIRE_FALSE(moved.has_value());
  CHECK(moved.error().code == hypervisor_errc::unreachable);
  auto other = host.attach_fencer();
  CHECK(other.set_deadline(boot_time() + 1h).error().message.find("still being written")
        != std::string::npos);
  CHECK(alive(guest));
  CHECK(dies(guest, 3s + kill_time));
  CHECK(other.status()->fenced);
}

TEST_CASE("guests are the fencer's children, and the dead among them are gone at once") {
  fenced_host host;
  auto client = host.attach();
  auto guest = host.start_guest(false);
  CHECK(parent_of(guest) == client.status()->pid);
  CHECK(parent_of(client.status()->libvirtd_pid) == client.status()->pid);
  ::kill(guest, SIGKILL);
  CHECK(becomes_true(1s, [&] { return ::kill(guest, 0) != 0; }));
  CHECK(becomes_true(5s, [&] { return host.guests_listed() == 0; }));
}

TEST_CASE("stop ends libvirtd and the fencer, and guests run on") {
  fenced_host host;
  auto client = host.attach();
  auto guest = host.start_guest(true);
  auto before = *client.status();
  REQUIRE(client.stop().has_value());
  CHECK(dies(before.pid));
  CHECK_FALSE(alive(before.libvirtd_pid));
  CHECK(alive(guest));
}

TEST_CASE("a system-mode libvirtd has folders of its own, and its guests are fenced") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: system mode needs root");
    return;
  }
  fenced_host host{libvirt_mode::system};
  auto client = host.attach();
  auto guest = host.start_guest(true);
  auto before = client.status()->libvirtd_pid;
  ::kill(before, SIGKILL);
  CHECK(becomes_true(10s, [&] { return host.guests_listed() == 1; }));
  REQUIRE(client.set_deadline(boot_time()).has_value());
  CHECK(dies(guest));
}

TEST_CASE("a state folder with a long path works as a short one does") {
  fenced_host host;
  auto shorter = host.config.state;
  host.config.state += "-with-a-name-that-is-much-too-long-for-the-path-of-a-socket";
  host.attach();
  auto guest = host.start_guest(true);
  CHECK(alive(guest));
  std::error_code error;
  std::filesystem::remove_all(shorter, error);
}

TEST_CASE("a fencer that can't start says why to who attaches") {
  fenced_host host;
  host.config.libvirtd = "/nonexistent/libvirtd";
  auto client = fencer_client::attach(host.config, FENCER_PROGRAM);
  REQUIRE_FALSE(client.has_value());
  CHECK(client.error().code == hypervisor_errc::unreachable);
  CHECK(client.error().message.find("/nonexistent/libvirtd") != std::string::npos);
}
