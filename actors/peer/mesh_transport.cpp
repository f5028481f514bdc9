#include "actors/peer/mesh_transport.hpp"

#include "actors/completion.hpp"
#include "actors/peer/mesh_errors.hpp"
#include "dwcp/snapshots/limits.hpp"
#include "storage/errors.hpp"

#include <algorithm>
#include <caf/all.hpp>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr uint32_t chunk_bytes = 60u << 10; // a message of 64 KiB with what stands around it
constexpr auto chunk_timeout = 8s;

failure not_answered(const std::string& why) {
  return {std::make_error_code(std::errc::not_connected),
          "a part of the snapshot did not come: " + why};
}

} // namespace

void mesh_transport::send(node_id to, std::vector<std::byte> message) {
  links_->send(to, std::move(message));
}

void mesh_transport::fetch(node_id from, const snapshot_chunk_request& what,
                           std::function<void(result<snapshot_chunk>)> done) {
  const auto door = line_ ? doors_->find(from, snapshot_doors::clock::now()) : std::nullopt;
  if (!door) {
    fetch_by_link(from, what, std::move(done));
    return;
  }
  auto question = what;
  question.limit_bytes = snapshot_limits::part_bytes;
  line_->fetch(from, *door, question,
               [doors = doors_, from, done = std::move(done)](result<snapshot_chunk> part) {
                 if (!part && part.error().code == dwcp_errc::withdrawn) {
                   done(make_failure(storage_errc::stopped, part.error().message));
                   return;
                 }
                 if (!part) // it is asked for again: over the link
                   doors->failed(from, snapshot_doors::clock::now());
                 done(std::move(part));
               });
}

void mesh_transport::fetch_by_link(node_id from, snapshot_chunk_request what,
                                   std::function<void(result<snapshot_chunk>)> done) {
  completion<result<snapshot_chunk>> box{
      [done = std::move(done)](const std::optional<result<snapshot_chunk>>& answer) {
        done(answer ? *answer : result<snapshot_chunk>{not_answered("this node is stopping")});
      }};
  what.limit_bytes = std::min(what.limit_bytes, chunk_bytes);
  system_.spawn([links = links_, doors = doors_, from, what, box](caf::event_based_actor* self) {
    auto link = links->find(from);
    if (!link) {
      box.complete(not_answered("there is no link to node " + to_string(from)));
      return;
    }
    self->request(link, chunk_timeout, what)
        .then(
            [box, doors, from](const snapshot_chunk& chunk) {
              if (auto where = parse_address(chunk.plane))
                doors->said(from, *where);
              box.complete(chunk);
            },
            [box, self](const caf::error& why) {
              auto text = self->system().render(why);
              box.complete(is(why, mesh_errc::withdrawn) ? make_failure(storage_errc::stopped, text)
                                                         : not_answered(text));
            });
  });
}

} // namespace novacron
