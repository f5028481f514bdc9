#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/control_protocol.hpp"
#include "hypervisor/fencer/fencer_spawn.hpp"
#include "hypervisor/fencer/libvirtd_layout.hpp"
#include "hypervisor/fencer/state_folder.hpp"

#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <utility>

namespace novacron {

using namespace std::chrono_literals;

namespace {

constexpr auto answer_patience = 2s;
constexpr auto stop_patience = 8s;
constexpr auto start_patience = 5s;

failure unanswered(const std::string& why) {
  return make_failure(hypervisor_errc::unreachable,
                      "the fencer doesn't answer: " + why + "; attach to it again");
}

failure unwatched(const fencer_config& config, int fencer) {
  return make_failure(hypervisor_errc::refused,
                      "the fencer that runs, process " + std::to_string(fencer)
                          + ", was started without the watchdog " + config.watchdog->device.native()
                          + "; end it with SIGTERM (guests run on), so that the node starts one "
                            "that has it, or drop host.watchdog");
}

/// One packet there, one back. Closes the socket when that fails: a late answer
/// must not be taken for the next request's.
result<fencer_status> ask(descriptor& socket, const control_request& request,
                          std::chrono::milliseconds patience) {
  auto give_up = [&](const std::string& why) {
    socket.reset();
    return unanswered(why);
  };
  if (!socket)
    return unanswered("the connection is gone");
  auto packet = encode(request);
  if (::send(socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    return give_up(std::strerror(errno));
  pollfd waited{socket.get(), POLLIN, 0};
  int ready = 0;
  do
    ready = ::poll(&waited, 1, static_cast<int>(patience.count()));
  while (ready < 0 && errno == EINTR);
  char answer[longest_control_packet];
  auto n = ready == 1 ? ::recv(socket.get(), answer, sizeof answer, MSG_DONTWAIT) : 0;
  if (ready == 0)
    return give_up("no word within " + std::to_string(patience.count()) + " ms");
  if (n <= 0)
    return give_up("it closed the connection");
  return decode_control_answer({answer, static_cast<size_t>(n)});
}

} // namespace

fencer_client::fencer_client(descriptor socket, std::filesystem::path libvirt_socket)
    : socket_{std::move(socket)}, libvirt_socket_{std::move(libvirt_socket)} {
  // nop
}

result<fencer_client> fencer_client::attach(const fencer_config& config,
                                            const std::filesystem::path& program) {
  auto layout = lay_out_libvirtd(config);
  auto try_once = [&]() -> result<fencer_client> {
    auto socket = connect_in_folder(layout.state);
    if (!socket)
      return socket.error();
    fencer_client client{std::move(*socket), layout.socket};
    auto answer = client.status();
    if (!answer)
      return answer.error();
    if (config.watchdog && answer->watchdog.count() == 0)
      return unwatched(config, answer->pid);
    return client;
  };
  auto client = try_once();
  if (client || client.error().code == hypervisor_errc::refused)
    return client;
  auto fencer = spawn_fencer(config, program);
  if (!fencer)
    return fencer.error();
  auto end = std::chrono::steady_clock::now() + start_patience;
  while (std::chrono::steady_clock::now() < end) {
    // Ours may have met another, which had started first: that one will do.
    bool ended = fencer->dead(20ms);
    client = try_once();
    if (client)
      return client;
    if (ended)
      return make_failure(hypervisor_errc::unreachable,
                          "no fencer answers, and a new one ended at once: "
                              + last_fencer_line(layout.state));
  }
  return make_failure(hypervisor_errc::unreachable,
                      "the fencer was started but doesn't answer: " + client.error().message);
}

result<void> fencer_client::set_deadline(std::chrono::nanoseconds deadline) {
  auto answer = ask(socket_, deadline_order{deadline}, answer_patience);
  if (!answer)
    return answer.error();
  return {};
}

result<fencer_status> fencer_client::status() {
  return ask(socket_, status_question{}, answer_patience);
}

result<void> fencer_client::stop() {
  auto answer = ask(socket_, stop_order{}, stop_patience);
  if (!answer)
    return answer.error();
  return {};
}

std::filesystem::path fencer_client::libvirt_socket() const {
  return libvirt_socket_;
}

} // namespace novacron
