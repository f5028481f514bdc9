#pragma once

#include "messages/ids.hpp"
#include "messages/peer.hpp"
#include "messages/result.hpp"

#include <functional>
#include <vector>

namespace novacron {

/// Connects the replicas of a group, across processes. Implemented by whoever
/// owns the connections; each opened replica has one of its own.
///
/// Must guarantee:
/// - `send`: to one peer in order, each once, or not at all; never blocks; at
///   most 64 KiB. The receiver's end hands them to `replica::receive` with the
///   sender's proven identity. What a full queue can't take is dropped.
/// - `fetch`: `done` is called once, later, from any thread, within a finite
///   time; the request is answered there by `replica::read_snapshot`. Chunks
///   are bulk: they must not delay what `send` carries.
/// - Any thread may call, until the replica that it was opened with is gone.
class replica_transport {
public:
  virtual ~replica_transport() = default;

  virtual void send(node_id to, std::vector<std::byte> message) = 0;
  virtual void fetch(node_id from, const snapshot_chunk_request& what,
                     std::function<void(result<snapshot_chunk>)> done)
      = 0;
};

} // namespace novacron
