#pragma once

#include "actors/gateway/gateway_config.hpp"
#include "messages/result.hpp"

#include <memory>
#include <utility>

namespace novacron {

/// A file descriptor that is closed with its owner.
class owned_socket {
public:
  explicit owned_socket(int fd = -1) : fd_{fd} {
    // nop
  }
  owned_socket(owned_socket&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {
    // nop
  }
  owned_socket& operator=(owned_socket&& other) noexcept;
  ~owned_socket();

  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

/// The gateway's listening sockets. They outlive the gateway's actor: while it
/// restarts, clients wait in the kernel's queue.
class gateway_ports {
public:
  /// Binds, and listens but at a port that is shared: there the edge does, once it can
  /// serve (the kernel gives every listener its part). Port 0 lets the kernel choose.
  static result<std::shared_ptr<const gateway_ports>> open(const gateway_config& config);

  [[nodiscard]] int api_socket() const { return api_.get(); }
  /// -1: there is none.
  [[nodiscard]] int operator_socket() const { return operator_.get(); }
  [[nodiscard]] uint16_t api_port() const;
  [[nodiscard]] uint16_t operator_port() const;

private:
  gateway_ports(owned_socket api, owned_socket operators)
      : api_{std::move(api)}, operator_{std::move(operators)} {
    // nop
  }

  owned_socket api_;
  owned_socket operator_;
};

} // namespace novacron
