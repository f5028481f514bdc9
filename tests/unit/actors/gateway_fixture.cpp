#include "gateway_fixture.hpp"

#include "actors/gateway/gateway.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <caf/all.hpp>
#include <charconv>
#include <mutex>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>

namespace novacron {

namespace {

struct test_system : caf::actor_system_config {
  test_system() {
    add_message_types<caf::id_block::novacron>();
    set("scheduler.max-threads", size_t{2});
    set("scheduler.policy", caf::atom("sharing"));
  }
};

frontend_actor::behavior_type fake_frontend(frontend_actor::pointer self, fake_log log) {
  return {[self, log](const proposal& wish) -> caf::result<outcomes> {
            outcomes answer;
            for (const auto& each : wish.commands)
              if (auto outcome = log(each))
                answer.each.push_back(*outcome);
              else
                return self->make_response_promise<outcomes>();
            return answer;
          },
          [](const group_status_request&) {
            group_status led;
            led.node = led.leads = node_id{{0, 1}};
            return led;
          }};
}

} // namespace

struct running_gateway::actors {
  test_system config;
  caf::actor_system system{config};
  gateway_config settings;
  std::shared_ptr<view_table> view;
  frontend_actor frontend;
  gateway_actor gateway;
  mutable std::mutex mutex;
  std::vector<std::string> killed;
};

running_gateway::running_gateway(gateway_config config, std::shared_ptr<view_table> view,
                                 fake_log log)
    : actors_{std::make_unique<actors>()} {
  actors_->settings = std::move(config);
  actors_->view = std::move(view);
  actors_->frontend = actors_->system.spawn(fake_frontend, std::move(log));
  start();
}

running_gateway::~running_gateway() {
  kill();
  caf::anon_send_exit(actors_->frontend, caf::exit_reason::kill);
}

void running_gateway::start() {
  auto chaos = [this](const kill_actor& whom, const std::function<void(bool, std::string)>& done) {
    std::lock_guard lock{actors_->mutex};
    actors_->killed.push_back(whom.path);
    done(whom.path != "nobody", "");
  };
  auto look = [](const actor_tree_request& what, const auto& done) {
    actor_tree tree;
    tree.node = what.node;
    tree.name = "node-1";
    tree.actors.resize(1);
    tree.actors[0].path = "services";
    done(std::move(tree));
  };
  actors_->gateway
      = actors_->system.spawn(novacron::gateway, actors_->settings, actors_->view,
                              actors_->frontend, chaos_function{chaos}, look_function{look});
}

void running_gateway::kill() {
  caf::scoped_actor waiter{actors_->system};
  waiter->send_exit(actors_->gateway, caf::exit_reason::kill);
  waiter->wait_for(actors_->gateway);
}

std::vector<std::string> running_gateway::killed() const {
  std::lock_guard lock{actors_->mutex};
  return actors_->killed;
}

test_connection::test_connection(uint16_t port)
    : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval patience{10, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error{"cannot connect"};
}

void test_connection::send(const std::string& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    auto count = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) {
      reset_ = true; // the other end has heard enough
      return;
    }
    sent += static_cast<size_t>(count);
  }
}

bool test_connection::more() {
  char bytes[16'384];
  auto count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
  if (count < 0 && errno == EAGAIN)
    throw std::runtime_error{"nothing came for 10 s"};
  reset_ = reset_ || count < 0;
  if (count <= 0)
    return false;
  buffer_.append(bytes, static_cast<size_t>(count));
  return true;
}

std::string test_connection::receive() {
  size_t head = 0;
  while ((head = buffer_.find("\r\n\r\n")) == buffer_.npos)
    if (!more())
      return std::exchange(buffer_, {});
  head += 4;
  size_t length = 0;
  constexpr std::string_view name = "Content-Length: ";
  if (auto at = buffer_.find(name); at < head)
    std::from_chars(buffer_.data() + at + name.size(), buffer_.data() + head, length);
  return receive_bytes(head + length);
}

std::string test_connection::receive_bytes(size_t count) {
  while (buffer_.size() < count && more()) {
  }
  auto result = buffer_.substr(0, count);
  buffer_.erase(0, result.size());
  return result;
}

std::string test_connection::receive_all() {
  while (more()) {
  }
  return std::exchange(buffer_, {});
}

} // namespace novacron
