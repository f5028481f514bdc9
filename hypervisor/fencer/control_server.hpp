#pragma once

#include "hypervisor/fencer/control_protocol.hpp"
#include "messages/descriptor.hpp"

#include <functional>
#include <map>
#include <poll.h>
#include <vector>

namespace novacron {

/// The fencer's end of the control socket: at most 8 clients, one packet from
/// each at a time, nobody is waited for. Who is neither root nor the fencer's
/// user, and who sends what is no request, is put out.
class control_server {
public:
  using client = uint64_t; ///< never used twice

  explicit control_server(descriptor listener) : listener_{std::move(listener)} {}

  /// What to poll for.
  void add_to(std::vector<pollfd>& polled) const;
  /// Reads what has come and passes each request to `handle`.
  void serve(const std::function<void(client, const control_request&)>& handle);
  /// To a client that may be gone by now.
  void answer(client who, const std::string& packet);

private:
  void accept();

  descriptor listener_;
  std::map<client, descriptor> clients_;
  client next_ = 1;
};

} // namespace novacron
