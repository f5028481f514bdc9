#include "hypervisor/fencer/control_server.hpp"

#include <sys/socket.h>
#include <unistd.h>

namespace novacron {

namespace {

constexpr size_t most_clients = 8;

bool trusted(const descriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
         && (peer.uid == 0 || peer.uid == ::geteuid());
}

} // namespace

void control_server::add_to(std::vector<pollfd>& polled) const {
  polled.push_back({listener_.get(), POLLIN, 0});
  for (const auto& [who, socket] : clients_)
    polled.push_back({socket.get(), POLLIN, 0});
}

void control_server::serve(const std::function<void(client, const control_request&)>& handle) {
  accept();
  std::vector<std::pair<client, int>> present;
  for (const auto& [who, socket] : clients_)
    present.emplace_back(who, socket.get());
  for (auto [who, socket] : present) {
    char packet[longest_control_packet];
    auto n = ::recv(socket, packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      continue;
    auto length = static_cast<size_t>(std::max<ssize_t>(n, 0));
    auto request = length > 0 && length <= sizeof packet ? decode_control_request({packet, length})
                                                         : std::nullopt;
    if (request) {
      handle(who, *request);
      continue;
    }
    if (length > 0)
      answer(who, encode_control_error("that is no request; see hypervisor/fencer/README.md"));
    clients_.erase(who);
  }
}

void control_server::answer(client who, const std::string& packet) {
  auto found = clients_.find(who);
  if (found == clients_.end())
    return;
  auto sent
      = ::send(found->second.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(packet.size()))
    clients_.erase(found);
}

void control_server::accept() {
  descriptor socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  if (!socket || !trusted(socket))
    return;
  // The oldest makes room, so that nobody can shut the agent out by staying.
  if (clients_.size() >= most_clients)
    clients_.erase(clients_.begin());
  clients_.emplace(next_++, std::move(socket));
}

} // namespace novacron
