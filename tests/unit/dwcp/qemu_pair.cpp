#include "qemu_pair.hpp"

#include "dwcp/transport/sockets.hpp"
#include "messages/page_stream.hpp"
#include "tests/becomes_true.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace novacron::testing {

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  return becomes_true(limit, condition);
}

bool stands_still(const std::atomic<size_t>& count) {
  size_t before = 0;
  return eventually([&] {
    const auto now = count.load();
    const bool still = now > 0 && now == before;
    before = now;
    std::this_thread::sleep_for(200ms); // the span over which it must not have moved
    return still;
  });
}

guest_socket::guest_socket(descriptor socket) : socket_{std::move(socket)} {
  const timeval limit{10, 0};
  ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) & ~O_NONBLOCK);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

guest_socket guest_socket::connect(const std::filesystem::path& path) {
  return guest_socket{connect_unix(path).value()};
}

bool guest_socket::write(std::span<const std::byte> x) {
  while (!x.empty()) {
    const auto count = ::send(socket_.get(), x.data(), x.size(), MSG_NOSIGNAL);
    if (count <= 0)
      return false;
    x = x.subspan(static_cast<size_t>(count));
  }
  return true;
}

bytes guest_socket::read(size_t count) {
  bytes all;
  bytes some(1 << 16);
  while (all.size() < count) {
    const auto got
        = ::recv(socket_.get(), some.data(), std::min(some.size(), count - all.size()), 0);
    if (got <= 0)
      break;
    all.insert(all.end(), some.begin(), some.begin() + got);
  }
  return all;
}

void guest_socket::close_write() {
  ::shutdown(socket_.get(), SHUT_WR);
}

guest_listener::guest_listener(const std::filesystem::path& path)
    : socket_{listen_unix(path).value()} {
  // nop
}

guest_socket guest_listener::accept() {
  pollfd p{socket_.get(), POLLIN, 0};
  ::poll(&p, 1, 10'000);
  return guest_socket{accept_one(socket_)};
}

session_end ending::callback() {
  return [state = state_](result<session_statistics> x) {
    const std::scoped_lock lock{state->mutex};
    ++state->calls;
    state->value = std::move(x);
    state->changed.notify_all();
  };
}

result<session_statistics> ending::wait() {
  std::unique_lock lock{state_->mutex};
  if (!state_->changed.wait_for(lock, 20s, [&] { return state_->value.has_value(); }))
    return failure{std::make_error_code(std::errc::interrupted), "test: the session didn't end"};
  return *state_->value;
}

int ending::calls() const {
  const std::scoped_lock lock{state_->mutex};
  return state_->calls;
}

qemu_pair::qemu_pair() {
  ticket.migration.value = random_uuid();
  ticket.source.value = random_uuid();
  ticket.destination.value = random_uuid();
  ticket.epoch = {1, 7};
  ticket.token.fill(std::byte{0x5a});
  door = open_page_door(authority.issue(ticket.destination), "127.0.0.1", 0).value();
  sending.stream_socket = folder / "out.sock";
  sending.destination_host = "127.0.0.1";
  sending.destination_port = door->port();
  receiving.stream_socket = folder / "in.sock";
  incoming.emplace(receiving.stream_socket);
}

void qemu_pair::expect() {
  receiver = door->expect(ticket, receiving, received.callback()).value();
}

void qemu_pair::start() {
  start(authority.issue(ticket.source));
}

void qemu_pair::start(const tls_files& files) {
  sender = start_page_sender(files, ticket, sending, sent.callback()).value();
}

std::pair<guest_socket, guest_socket> qemu_pair::connect() {
  expect();
  start();
  auto source = guest_socket::connect(sending.stream_socket);
  auto destination = incoming->accept();
  return {std::move(source), std::move(destination)};
}

carried migrate(qemu_pair& pair, std::span<const std::byte> stream, random_numbers& random,
                size_t longest_write) {
  auto [source, destination] = pair.connect();
  const auto pong = bytes{std::byte{0}, std::byte{2}, std::byte{0}, std::byte{4},
                          std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};
  std::thread writer{[&, &out = source] {
    chop(stream, random, longest_write, [&](auto piece) { out.write(piece); });
  }};
  carried x;
  x.at_destination = destination.read(stream.size());
  destination.write(pong);
  destination.write(qemu_stream::shut_message());
  destination.close();
  writer.join();
  x.at_source = source.read(16);
  source.close();
  return x;
}

} // namespace novacron::testing
