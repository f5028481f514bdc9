#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <functional>
#include <mutex>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace novacron {

/// A gateway of a few lines: one request per connection, answered by a function.
class cli_server {
public:
  struct answer {
    unsigned status = 200;
    std::string body;
  };
  /// Gets "METHOD /path" and the whole request.
  using function = std::function<answer(const std::string& line, const std::string& request)>;

  explicit cli_server(function fn)
      : fn_{std::move(fn)}, socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(socket_, 16);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread{[this] { serve(); }};
  }

  ~cli_server() {
    stopping_ = true;
    thread_.join();
    ::close(socket_);
  }

  [[nodiscard]] std::vector<std::string> requests() const {
    std::lock_guard lock{mutex_};
    return requests_;
  }

  std::string url;

private:
  void serve() {
    while (!stopping_) {
      pollfd waiting{socket_, POLLIN, 0};
      if (::poll(&waiting, 1, 10) == 1)
        serve_one(::accept(socket_, nullptr, nullptr));
    }
  }

  void serve_one(int peer) {
    std::string request;
    char bytes[4'096];
    while (!whole(request)) {
      auto count = ::recv(peer, bytes, sizeof bytes, 0);
      if (count <= 0)
        break;
      request.append(bytes, static_cast<size_t>(count));
    }
    {
      std::lock_guard lock{mutex_};
      requests_.push_back(request);
    }
    auto [status, body] = fn_(request.substr(0, request.find(" HTTP/")), request);
    auto text = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: "
                + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
    if (status != 0)
      ::send(peer, text.data(), text.size(), MSG_NOSIGNAL);
    ::close(peer);
  }

  static bool whole(const std::string& request) {
    auto head = request.find("\r\n\r\n");
    if (head == request.npos)
      return false;
    auto at = request.find("Content-Length: ");
    size_t length = at < head ? std::stoul(request.substr(at + 16)) : 0;
    return request.size() >= head + 4 + length;
  }

  function fn_;
  int socket_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

} // namespace novacron
