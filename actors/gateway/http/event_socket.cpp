#include "actors/gateway/http/event_socket.hpp"

#include "actors/gateway/api.hpp"
#include "actors/view/json_writer.hpp"

#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <span>

namespace novacron {

namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr size_t max_incoming = 4'096; ///< clients have nothing to say

/// One client that follows the events. Its queue is its position in the view's
/// ring: however slow it is, it holds one frame, which counts for the answers' budget.
class event_socket final : public session {
public:
  event_socket(std::shared_ptr<io_core> core, tcp_socket socket, uint64_t position)
      : core_{*core}, stream_{std::move(socket)}, position_{position} {
    stream_.read_message_max(max_incoming);
    websocket::stream_base::timeout limits{};
    limits.handshake_timeout = core_.shared->limits.header_time;
    limits.idle_timeout = core_.shared->limits.idle_time;
    limits.keep_alive_pings = true;
    stream_.set_option(limits);
    core_.shared->served->metrics().websockets(1);
  }

  ~event_socket() override {
    core_.shared->served->metrics().websockets(-1);
    --core_.shared->connections_of(listener::api);
  }

  void accept(beast::http::request<beast::http::string_body> upgrade) {
    request_ = std::move(upgrade);
    stream_.async_accept(request_, [self = keep()](error_code error) {
      if (error)
        return self->end();
      self->request_ = {};
      self->core_.event_sockets.insert(self);
      self->read();
      self->pump();
    });
  }

  void close() override {
    error_code ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
    end();
  }

  void pump() override {
    if (closing_)
      return;
    if (frame_) {
      // One that takes nothing for so long is gone, or too slow to be served.
      if (clock::now() - frame_since_ > core_.shared->limits.write_time)
        close();
      return;
    }
    if (!next_frame())
      return;
    frame_since_ = clock::now();
    stream_.text(true);
    stream_.async_write(asio::buffer(frame_->text), [self = keep()](error_code error, size_t) {
      self->frame_.reset();
      if (error)
        return self->end();
      self->pump();
    });
  }

private:
  using clock = std::chrono::steady_clock;

  std::shared_ptr<event_socket> keep() {
    return std::static_pointer_cast<event_socket>(shared_from_this());
  }

  /// Makes `frame_` from what is new; false if there is nothing, or no room for it:
  /// then it is tried again with the next tick.
  bool next_frame() {
    auto frame = core_.frame && core_.frame->position == position_ ? core_.frame : make_frame();
    if (!frame)
      return false;
    core_.frame = frame_ = std::move(frame);
    position_ = frame_->next;
    return true;
  }

  std::shared_ptr<const event_frame> make_frame() {
    auto slice = core_.shared->view->events(position_, core_.shared->limits.events_per_frame);
    if (!slice)
      too_slow();
    if (!slice || slice->events.empty())
      return nullptr;
    size_t bytes = 2;
    for (const auto& event : slice->events)
      bytes += event.json->size() + 1;
    auto frame = std::make_shared<event_frame>(
        event_frame{position_, position_, {}, byte_share{core_.shared->answers}});
    // Without room for all of them a few go on: the quick aren't held up by the slow.
    auto some = std::span<const view_event>{slice->events};
    if (bytes > small_answer && !frame->held.grow_to(bytes)) {
      some = whole_revisions(some, small_answer - 2);
      if (some.empty())
        return nullptr;
      bytes = small_answer;
    }
    json_writer out;
    out.reserve(bytes);
    out.begin_array();
    for (const auto& event : some)
      out.raw(*event.json);
    out.end_array();
    frame->next += some.size();
    frame->text = out.take();
    return frame;
  }

  void too_slow() {
    closing_ = true;
    stream_.async_close({websocket::close_code::policy_error, "too slow; list again"},
                        [self = keep()](error_code) { self->end(); });
  }

  /// Reads for the sake of pings and the closing handshake.
  void read() {
    stream_.async_read(incoming_, [self = keep()](error_code error, size_t) {
      self->incoming_.clear();
      if (error)
        return self->end();
      self->read();
    });
  }

  void end() {
    closing_ = true;
    core_.event_sockets.erase(shared_from_this());
    core_.sessions.erase(shared_from_this());
  }

  io_core& core_;
  websocket::stream<beast::basic_stream<asio::ip::tcp, io_executor>, false> stream_;
  beast::http::request<beast::http::string_body> request_;
  beast::flat_buffer incoming_{max_incoming};
  uint64_t position_;
  std::shared_ptr<const event_frame> frame_; ///< being written
  clock::time_point frame_since_;
  bool closing_ = false;
};

} // namespace

void start_event_socket(const std::shared_ptr<io_core>& core, tcp_socket socket,
                        beast::http::request<beast::http::string_body> upgrade, uint64_t position) {
  auto self = std::make_shared<event_socket>(core, std::move(socket), position);
  core->sessions.insert(self);
  self->accept(std::move(upgrade));
}

} // namespace novacron
