#pragma once

#include "etcd_client.hpp"
#include "servers.hpp"
#include "system_under_test.hpp"

#include <memory>

namespace novacron::bench {

/// The same with etcd: one or three members of Debian's etcd-server on the same
/// disk, TLS between them and to the client, with certificates of the same kind
/// and its own settings otherwise: each commit is synced.
class etcd_cluster : public system_under_test {
public:
  /// Starts the members, and waits until one leads.
  etcd_cluster(std::filesystem::path folder, int voters);

  /// Is /usr/bin/etcd there? Its version; empty: no.
  static std::string version();

  load_result load(const load_plan& plan) override;
  std::chrono::duration<double, std::milli> kill_leader() override;

private:
  [[nodiscard]] child_command command_of(int member) const;
  [[nodiscard]] etcd_endpoint endpoint_of(int member) const;
  int leader();
  void await_all();

  std::filesystem::path folder_;
  int voters_;
  uint16_t port_;
  servers servers_;
  uint64_t runs_ = 0;
};

} // namespace novacron::bench
