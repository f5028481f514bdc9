#pragma once

#include "hypervisor/fencer/deadline_file.hpp"
#include "hypervisor/simulated/machine_calls.hpp"
#include "hypervisor/simulated/simulated_host.hpp"

#include <list>

namespace novacron {

/// Serves a simulated host to agents in other processes, and lets its guests run.
/// Each connection has a thread, since Perform blocks for as long as memory travels.
class machine_server {
public:
  /// `deadline`: where its fencer's deadline is kept over its own end.
  machine_server(std::shared_ptr<simulated_host> host, stream_socket listener,
                 deadline_file deadline);
  /// Ends the sessions, as an agent's death would, and calls that still run.
  ~machine_server();
  machine_server(const machine_server&) = delete;
  machine_server& operator=(const machine_server&) = delete;

private:
  struct connection {
    stream_socket stream;
    std::atomic<bool> over{false};
    std::thread thread;
  };

  void accept();
  void serve(connection& client);
  void attach(connection& client);
  wire_writer answer_to(machine_call call, uint64_t session, wire_reader& arguments);
  wire_writer move_deadline(wire_reader& arguments);
  std::shared_ptr<hypervisor> driver_of(uint64_t session);

  std::shared_ptr<simulated_host> host_;
  stream_socket listener_;
  deadline_file deadline_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<hypervisor>> sessions_;
  uint64_t latest_session_ = 0;
  std::list<connection> connections_; ///< the accepting thread's
  std::thread accepting_;
  std::thread pulse_;
};

} // namespace novacron
