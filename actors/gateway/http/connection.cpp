#include "actors/gateway/api.hpp"
#include "actors/gateway/http/event_socket.hpp"
#include "actors/gateway/http/io_core.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

namespace novacron {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr size_t max_buffer = 128u << 10;
constexpr size_t first_read = 4'096;
constexpr auto linger_time = 2s;
constexpr size_t linger_bytes = 16u << 20;

std::string head_of(const api_answer& answer, unsigned version, bool keep_alive) {
  std::string head
      = "HTTP/1." + std::to_string(version % 10) + ' ' + std::to_string(answer.status) + ' ';
  auto reason = http::obsolete_reason(static_cast<http::status>(answer.status));
  head.append(reason.data(), reason.size());
  head += "\r\nContent-Type: " + answer.content_type;
  head += "\r\nContent-Length: " + std::to_string(answer.body->size());
  head += "\r\nCache-Control: no-store";
  for (const auto& [name, value] : answer.headers)
    head += "\r\n" + name + ": " + value;
  head += keep_alive ? "\r\nConnection: keep-alive" : "\r\nConnection: close";
  head += "\r\n\r\n";
  return head;
}

/// One HTTP/1.1 connection: a request at a time, each within its deadlines.
class connection final : public session {
public:
  connection(const std::shared_ptr<io_core>& core, tcp_socket socket, listener door)
      : core_{*core}, weak_core_{core}, door_{door}, stream_{std::move(socket)} {
    // nop
  }

  ~connection() override {
    if (!handed_over_)
      --core_.shared->connections;
    leave_flight();
  }

  void start() { wait_for_request(); }

  void close() override {
    stream_.close();
    end();
  }

private:
  [[nodiscard]] const gateway_limits& limits() const { return core_.shared->limits; }

  std::shared_ptr<connection> keep() {
    return std::static_pointer_cast<connection>(shared_from_this());
  }

  void end() { core_.sessions.erase(shared_from_this()); }

  void leave_flight() {
    if (std::exchange(flying_, false))
      --core_.shared->in_flight;
  }

  // -- in ----------------------------------------------------------------------------

  void wait_for_request() {
    if (buffer_.size() > 0)
      return read_header(); // sent ahead of our answer
    stream_.expires_after(limits().idle_time);
    stream_.async_read_some(buffer_.prepare(first_read),
                            [self = keep()](error_code error, size_t count) {
                              if (error)
                                return self->close();
                              self->buffer_.commit(count);
                              self->read_header();
                            });
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(limits().header_bytes));
    parser_->body_limit(limits().body_bytes);
    stream_.expires_after(limits().header_time);
    http::async_read_header(stream_, buffer_, *parser_, [self = keep()](error_code error, size_t) {
      if (error)
        return self->refuse(error);
      self->on_header();
    });
  }

  void on_header() {
    if (beast::websocket::is_upgrade(parser_->get()))
      return upgrade();
    if (!beast::iequals(parser_->get()[http::field::expect], "100-continue"))
      return read_body();
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(go_on), [self = keep()](error_code error, size_t) {
      if (error)
        return self->close();
      self->read_body();
    });
  }

  void read_body() {
    stream_.expires_after(limits().body_time);
    http::async_read(stream_, buffer_, *parser_, [self = keep()](error_code error, size_t) {
      if (error)
        return self->refuse(error);
      self->handle();
    });
  }

  /// What was read is no request, or too large a one.
  void refuse(error_code why) {
    problem answer;
    if (why == http::error::body_limit)
      answer = body_too_large(limits().body_bytes);
    else if (why == http::error::header_limit || why == http::error::buffer_overflow)
      answer = headers_too_large(limits().header_bytes);
    else if (why == http::error::end_of_stream || why == http::error::partial_message
             || why.category() != make_error_code(http::error::bad_method).category())
      return close(); // gone, or too slow
    else
      answer = bad_request("this is not HTTP/1.1 (" + why.message() + "); send HTTP/1.1");
    core_.shared->served->metrics().answered(nullptr, answer.status, {});
    keep_alive_ = false;
    respond(answer_of(answer));
  }

  api_request request() {
    auto& message = parser_->get();
    auto text = [](beast::string_view x) { return std::string{x.data(), x.size()}; };
    auto header = [&](beast::string_view name) -> std::optional<std::string> {
      auto at = message.find(name);
      if (at == message.end())
        return std::nullopt;
      return text(at->value());
    };
    api_request result;
    result.door = door_;
    result.method = text(message.method_string());
    result.target = text(message.target());
    result.body = std::move(message.body());
    result.authorization = header("Authorization").value_or("");
    result.idempotency_key = header("Idempotency-Key");
    result.if_match = header("If-Match");
    return result;
  }

  void handle() {
    keep_alive_ = parser_->get().keep_alive();
    stream_.expires_never();
    if (core_.shared->in_flight.fetch_add(1) >= limits().in_flight) {
      --core_.shared->in_flight;
      core_.shared->served->metrics().answered(nullptr, 503, {});
      return respond(answer_of(too_busy()));
    }
    flying_ = true;
    // The answer may come from any thread, and after this connection is gone.
    core_.shared->served->handle(
        request(), [core = weak_core_, weak = std::weak_ptr{keep()}](api_answer answer) {
          auto alive = core.lock();
          if (!alive)
            return;
          asio::dispatch(alive->io, [weak, answer = std::move(answer)]() mutable {
            if (auto self = weak.lock())
              self->respond(std::move(answer));
          });
        });
  }

  void upgrade() {
    auto asked = request();
    auto start = core_.shared->served->subscribe(asked);
    if (auto* refusal = std::get_if<api_answer>(&start)) {
      keep_alive_ = false;
      return respond(std::move(*refusal));
    }
    stream_.expires_never();
    handed_over_ = true;
    auto core = weak_core_.lock();
    start_event_socket(core, stream_.release_socket(), parser_->release(),
                       std::get<uint64_t>(start));
    end();
  }

  // -- out ---------------------------------------------------------------------------

  void respond(api_answer answer) {
    leave_flight();
    if (core_.stopping)
      return close();
    head_ = head_of(answer, parser_->get().version(), keep_alive_);
    body_ = std::move(answer.body);
    stream_.expires_after(limits().write_time);
    // An answer to HEAD has the length of its content, and none (RFC 9110, 9.3.2).
    const bool content = parser_->get().method() != http::verb::head;
    std::array<asio::const_buffer, 2> parts{asio::buffer(head_),
                                            content ? asio::buffer(*body_) : asio::const_buffer{}};
    asio::async_write(stream_, parts, [self = keep()](error_code error, size_t) {
      self->body_.reset();
      if (error)
        return self->close();
      if (self->keep_alive_)
        return self->wait_for_request();
      self->linger();
    });
  }

  /// Reads on for a moment: closing with unread bytes would reset the
  /// connection, and the client might never see our answer.
  void linger() {
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    stream_.expires_after(linger_time);
    buffer_.clear();
    drain(0);
  }

  void drain(size_t drained) {
    stream_.async_read_some(buffer_.prepare(max_buffer / 2),
                            [self = keep(), drained](error_code error, size_t count) {
                              auto total = drained + count;
                              if (error || total > linger_bytes)
                                return self->close();
                              self->drain(total);
                            });
  }

  io_core& core_;
  std::weak_ptr<io_core> weak_core_;
  listener door_;
  beast::basic_stream<asio::ip::tcp, io_executor> stream_;
  beast::flat_buffer buffer_{max_buffer};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string head_;
  shared_json body_;
  bool keep_alive_ = false;
  bool flying_ = false;
  bool handed_over_ = false;
};

} // namespace

void start_connection(const std::shared_ptr<io_core>& core, tcp_socket socket, listener door) {
  if (core->stopping)
    return;
  auto self = std::make_shared<connection>(core, std::move(socket), door);
  core->sessions.insert(self);
  self->start();
}

} // namespace novacron
