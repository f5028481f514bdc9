#include "actors/gateway/http/edge.hpp"

#include "actors/gateway/api.hpp"
#include "actors/gateway/http/io_core.hpp"
#include "actors/gateway/http/ports.hpp"
#include "actors/view/view_table.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace novacron {

namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

constexpr auto stop_patience = 1s;
constexpr auto accept_back_off = 50ms;
constexpr size_t sockets_per_turn = 64;
constexpr size_t told_share = 16; ///< a sixteenth more are told to come back

/// Not more than half of what the process may open: the log's files and the other
/// nodes' connections need descriptors, too.
gateway_limits within_descriptors(gateway_limits limits) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
    limits.connections = std::min<size_t>(limits.connections, files.rlim_cur / 2);
  return limits;
}

using acceptor_socket = asio::basic_socket_acceptor<asio::ip::tcp, io_executor>;

asio::ip::tcp protocol_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return address.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
}

/// Hands accepted connections to the cores in turn.
class acceptor : public std::enable_shared_from_this<acceptor> {
public:
  /// `later`: it listens only once the view is complete.
  acceptor(const std::vector<std::shared_ptr<io_core>>& cores, int fd, listener door, bool later)
      : cores_{cores}, door_{door}, later_{later}, socket_{cores.front()->io},
        pause_{cores.front()->io} {
    // A duplicate: closing ours must not close the port.
    socket_.assign(protocol_of(fd), ::dup(fd));
  }

  void accept() {
    if (!socket_.is_open()) // closed while its timer's word was under way
      return;
    auto& core = cores_[turn_++ % cores_.size()];
    if (later_) {
      if (!core->shared->view->complete())
        return accept_later();
      error_code error;
      socket_.listen(asio::socket_base::max_listen_connections, error);
      if (error)
        return accept_later(); // another listens there, and doesn't share
      later_ = false;
      core->shared->listens = true;
    }
    socket_.async_accept(core->io,
                         [self = shared_from_this(), &core](error_code error, tcp_socket peer) {
                           if (error == asio::error::operation_aborted)
                             return;
                           if (error)
                             return self->accept_later(); // out of descriptors, most likely
                           self->take(core, std::move(peer));
                           self->accept();
                         });
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
    pause_.cancel();
  }

private:
  /// Who is too many is told so; only if those who are being told are too many as
  /// well, the connection is closed without a word.
  void take(const std::shared_ptr<io_core>& core, tcp_socket peer) {
    const auto& limits = core->shared->limits;
    const auto most
        = door_ == listener::operators ? limits.operator_connections : limits.connections;
    auto& open = core->shared->connections_of(door_);
    const auto now = open.fetch_add(1) + 1;
    if (now > most + most / told_share + 1) {
      --open;
      core->shared->served->metrics().shed(shed_reason::connections);
      return;
    }
    const auto how = now <= most ? admission::served : admission::sent_away;
    asio::post(core->io, [core, door = door_, how, peer = std::move(peer)]() mutable {
      start_connection(core, std::move(peer), door, how);
    });
  }

  void accept_later() {
    pause_.expires_after(accept_back_off);
    pause_.async_wait([self = shared_from_this()](error_code error) {
      if (!error)
        self->accept();
    });
  }

  std::vector<std::shared_ptr<io_core>> cores_;
  listener door_;
  bool later_;
  acceptor_socket socket_;
  decltype(io_core::timer) pause_;
  size_t turn_ = 0;
};

/// Lets a few sockets send what is new, then the loop breathe, then the next few.
void pump(const std::shared_ptr<io_core>& core, std::vector<std::weak_ptr<session>> sockets,
          size_t from) {
  auto to = std::min(from + sockets_per_turn, sockets.size());
  for (; from < to; ++from)
    if (auto socket = sockets[from].lock())
      socket->pump();
  if (from < sockets.size())
    asio::post(core->io,
               [weak = std::weak_ptr{core}, sockets = std::move(sockets), from]() mutable {
                 if (auto again = weak.lock())
                   pump(again, std::move(sockets), from);
               });
}

void tick(const std::shared_ptr<io_core>& core) {
  core->timer.expires_after(core->shared->limits.event_interval);
  core->timer.async_wait([weak = std::weak_ptr{core}](error_code error) {
    auto again = weak.lock();
    if (error || !again || again->stopping)
      return;
    auto& shared = *again->shared;
    shared.view->expire(std::chrono::steady_clock::now());
    shared.served->metrics().holds({shared.connections_of(listener::api), shared.in_flight,
                                    shared.bodies.held(), shared.answers.held()});
    if (again->event_sockets.empty())
      again->frame.reset();
    pump(again, {again->event_sockets.begin(), again->event_sockets.end()}, 0);
    tick(again);
  });
}

void stop(io_core& core) {
  core.stopping = true;
  core.timer.cancel();
  auto open = core.sessions;
  for (const auto& each : open)
    each->close();
}

} // namespace

struct http_edge::threads {
  std::vector<std::shared_ptr<io_core>> cores;
  std::vector<std::shared_ptr<acceptor>> acceptors;
  std::vector<std::thread> running;
  std::vector<std::future<void>> ended;
};

http_edge::http_edge(const gateway_config& config, std::shared_ptr<const api> served,
                     std::shared_ptr<view_table> view)
    : threads_{std::make_unique<threads>()} {
  auto shared = std::make_shared<edge_shared>(within_descriptors(config.limits));
  shared->served = std::move(served);
  shared->view = std::move(view);
  shared->listens = !config.share_port;
  auto& [cores, acceptors, running, ended] = *threads_;
  for (size_t i = 0; i < std::max<size_t>(config.io_threads, 1); ++i)
    cores.push_back(std::make_shared<io_core>(shared));
  for (auto [fd, door] : {std::pair{config.ports->api_socket(), listener::api},
                          std::pair{config.ports->operator_socket(), listener::operators}}) {
    if (fd < 0)
      continue;
    acceptors.push_back(
        std::make_shared<acceptor>(cores, fd, door, config.share_port && door == listener::api));
    acceptors.back()->accept();
  }
  for (const auto& core : cores) {
    tick(core);
    std::promise<void> over;
    ended.push_back(over.get_future());
    running.emplace_back([core, promise = std::move(over)]() mutable {
      core->io.run();
      promise.set_value();
    });
  }
}

http_edge::~http_edge() {
  auto& [cores, acceptors, running, ended] = *threads_;
  asio::post(cores.front()->io, [&doors = acceptors] {
    for (const auto& each : doors)
      each->close();
  });
  for (const auto& core : cores)
    asio::post(core->io, [&core = *core] { stop(core); });
  auto deadline = std::chrono::steady_clock::now() + stop_patience;
  for (size_t i = 0; i < running.size(); ++i) {
    if (ended[i].wait_until(deadline) != std::future_status::ready)
      cores[i]->io.stop();
    running[i].join();
  }
}

} // namespace novacron
