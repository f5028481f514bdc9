#include "actors/peer/mesh_transport.hpp"

#include "actors/completion.hpp"
#include "actors/peer/mesh_errors.hpp"
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
  completion<result<snapshot_chunk>> box{
      [done = std::move(done)](const std::optional<result<snapshot_chunk>>& answer) {
        done(answer ? *answer : result<snapshot_chunk>{not_answered("this node is stopping")});
      }};
  auto question = what;
  question.limit_bytes = std::min(question.limit_bytes, chunk_bytes);
  system_.spawn([links = links_, from, question, box](caf::event_based_actor* self) {
    auto link = links->find(from);
    if (!link) {
      box.complete(not_answered("there is no link to node " + to_string(from)));
      return;
    }
    self->request(link, chunk_timeout, question)
        .then([box](const snapshot_chunk& chunk) { box.complete(chunk); },
              [box, self](const caf::error& why) {
                auto text = self->system().render(why);
                box.complete(is(why, mesh_errc::withdrawn)
                                 ? make_failure(storage_errc::stopped, text)
                                 : not_answered(text));
              });
  });
}

} // namespace novacron
