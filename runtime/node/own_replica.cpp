#include "runtime/node/own_replica.hpp"

namespace novacron {

result<founding> look_at_beginning(const node_config& config) {
  if (config.controller.joined)
    return founding{{}, true};
  std::vector<node_id> founders;
  if (!config.controller.founders.empty()) {
    auto read = read_founders(config.controller.founders);
    if (!read)
      return read.error();
    founders = std::move(*read);
  }
  return decide_founding(config.id, founders, past_of(config.state));
}

result<std::unique_ptr<replica>> open_own_replica(const node_config& config, replica_config rest) {
  auto begins = look_at_beginning(config);
  if (!begins)
    return begins.error();
  rest.folder = replica_folder(config.state);
  rest.node = config.id;
  rest.cluster = config.cluster;
  rest.founders = begins->founders;
  rest.join = begins->join;
  rest.election = config.controller.election;
  rest.heartbeat = rest.election / 5;
  // The node's folder lets others pass, to guests' sockets; the state is nobody else's. What
  // can't be done about it here, opening the replica says.
  std::error_code ignored;
  std::filesystem::create_directories(rest.folder, ignored);
  std::filesystem::permissions(rest.folder, std::filesystem::perms::owner_all, ignored);
  auto opened = replica::open(rest);
  if (opened)
    if (auto noted = remember_beginning(config.state); !noted)
      return noted.error();
  return opened;
}

} // namespace novacron
