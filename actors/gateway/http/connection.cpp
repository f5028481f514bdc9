#include "actors/gateway/api.hpp"
#include "actors/gateway/http/event_socket.hpp"
#include "actors/gateway/http/io_core.hpp"
#include "actors/gateway/http/request_parser.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

namespace novacron {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr size_t max_buffer = 16u << 10; ///< a line of a chunk's extensions has no other bound
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

/// Takes an answer's bytes from the budget, or 503 in its place where they don't fit.
/// Call where the answer is made: many may be made before the first of them is sent.
byte_share hold(edge_shared& shared, listener door, api_answer& answer) {
  byte_share held{shared.answers};
  if (door == listener::operators || answer.body->size() <= small_answer
      || held.grow_to(answer.body->capacity()))
    return held;
  // A change that was made is told all the same: where to read what it made.
  for (const auto& [name, value] : answer.headers)
    if (name == "Location") {
      answer.body = std::make_shared<const std::string>(
          R"({"id":")" + value.substr(value.rfind('/') + 1) + R"("})");
      return held;
    }
  shared.served->metrics().shed(shed_reason::answers);
  answer = answer_of(overloaded(shed_reason::answers));
  return held;
}

/// One HTTP/1.1 connection: a request at a time, each within its deadlines.
class connection final : public session {
public:
  connection(const std::shared_ptr<io_core>& core, tcp_socket socket, listener door)
      : core_{*core}, weak_core_{core}, door_{door}, stream_{std::move(socket)},
        reading_{core->shared->bodies}, sending_{core->shared->answers} {
    // nop
  }

  ~connection() override {
    if (!handed_over_)
      --core_.shared->connections_of(door_);
    leave_flight();
  }

  void start(admission how) {
    if (how == admission::served)
      wait_for_request();
    else
      shed(shed_reason::connections);
  }

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
    version_ = 11;
    wants_content_ = true;
    parser_.emplace(limits().header_bytes);
    parser_->body_limit(boost::none); // `on_header` knows whose it is
    stream_.expires_after(limits().header_time);
    http::async_read_header(stream_, buffer_, *parser_, [self = keep()](error_code error, size_t) {
      if (error)
        return self->refuse(error);
      self->on_header();
    });
  }

  void on_header() {
    version_ = parser_->get().version();
    // An answer to HEAD has the length of its content, and none (RFC 9110, 9.3.2).
    wants_content_ = parser_->get().method() != http::verb::head;
    const bool has_body = parser_->chunked() || parser_->content_length().value_or(0) > 0;
    if (beast::websocket::is_upgrade(parser_->get()))
      return has_body ? give_up(bad_request("a request for a WebSocket has no body")) : upgrade();
    if (!has_body)
      return handle();
    auto allowed = core_.shared->served->body_limit(request());
    if (auto* refusal = std::get_if<api_answer>(&allowed)) {
      keep_alive_ = false; // what follows is no request, but the body
      return respond(std::move(*refusal));
    }
    const auto most = std::get<size_t>(allowed);
    const auto announced = parser_->content_length().value_or(0);
    if (announced > most)
      return give_up(body_too_large(most));
    if (!reading_.grow_to(announced))
      return shed(shed_reason::bodies);
    parser_->body_limit(most);
    most_body_ = most;
    parser_->eager(true);
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue"))
      return ask_for_body();
    stream_.expires_after(limits().body_time);
    read_body();
  }

  void ask_for_body() {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(go_on), [self = keep()](error_code error, size_t) {
      if (error)
        return self->close();
      self->stream_.expires_after(self->limits().body_time);
      self->read_body();
    });
  }

  /// A chunked body says only as it comes how long it is.
  void read_body() {
    if (parser_->is_done())
      return handle();
    http::async_read_some(stream_, buffer_, *parser_, [self = keep()](error_code error, size_t) {
      if (error)
        return self->refuse(error);
      if (self->parser_->chunked()
          && !self->reading_.grow_to(self->parser_->get().body().capacity()))
        return self->shed(shed_reason::bodies);
      self->read_body();
    });
  }

  /// What was read is no request, or too large a one.
  void refuse(error_code why) {
    if (why == http::error::body_limit)
      give_up(body_too_large(most_body_));
    else if (why == http::error::header_limit || why == http::error::buffer_overflow)
      give_up(headers_too_large(limits().header_bytes, request_parser::most_fields));
    else if (why == http::error::end_of_stream || why == http::error::partial_message
             || why.category() != make_error_code(http::error::bad_method).category())
      close(); // gone, or too slow
    else
      give_up(bad_request("this is not HTTP/1.1 (" + why.message() + "); send HTTP/1.1"));
  }

  /// Answers before all was read, and ends.
  void give_up(const problem& why) {
    core_.shared->served->metrics().answered(nullptr, why.status, {});
    keep_alive_ = false;
    respond(answer_of(why));
  }

  void shed(shed_reason why) {
    core_.shared->served->metrics().shed(why);
    give_up(overloaded(why));
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
    result.listens = core_.shared->listens;
    return result;
  }

  void handle() {
    keep_alive_ = parser_->get().keep_alive();
    const auto asked = request();
    parser_.reset(); // whoever waits, and whoever is idle, holds no headers
    stream_.expires_never();
    if (!enter_flight())
      return respond(answer_of(overloaded(shed_reason::in_flight)));
    // The answer may come from any thread, and after this connection is gone.
    core_.shared->served->handle(
        asked, [core = weak_core_, weak = std::weak_ptr{keep()}, door = door_](api_answer answer) {
          auto alive = core.lock();
          if (!alive)
            return;
          auto held = hold(*alive->shared, door, answer);
          asio::dispatch(alive->io,
                         [weak, answer = std::move(answer), held = std::move(held)]() mutable {
                           if (auto self = weak.lock())
                             self->respond(std::move(answer), std::move(held));
                         });
        });
    reading_.release();
  }

  /// Operators have few connections, and look into a gateway that is overloaded.
  bool enter_flight() {
    flying_ = true;
    if (core_.shared->in_flight.fetch_add(1) < limits().in_flight || door_ == listener::operators)
      return true;
    core_.shared->served->metrics().shed(shed_reason::in_flight);
    core_.shared->served->metrics().answered(nullptr, 503, {});
    return false;
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

  void respond(api_answer answer) { respond(std::move(answer), byte_share{core_.shared->answers}); }

  void respond(api_answer answer, byte_share held) {
    leave_flight();
    parser_.reset();
    reading_.release();
    if (core_.stopping)
      return close();
    head_ = head_of(answer, version_, keep_alive_);
    body_ = std::move(answer.body);
    sending_ = std::move(held);
    stream_.expires_after(limits().write_time);
    std::array<asio::const_buffer, 2> parts{
        asio::buffer(head_), wants_content_ ? asio::buffer(*body_) : asio::const_buffer{}};
    asio::async_write(stream_, parts, [self = keep()](error_code error, size_t) {
      self->body_.reset();
      self->sending_.release();
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
    drain(0);
  }

  void drain(size_t drained) {
    stream_.async_read_some(asio::buffer(core_.refuse),
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
  std::optional<request_parser> parser_; ///< while a request is read
  byte_share reading_;                   ///< its body
  size_t most_body_ = 0;                 ///< that the request may have
  unsigned version_ = 11;                ///< of the request's HTTP
  std::string head_;
  shared_json body_;
  byte_share sending_; ///< the answer
  bool wants_content_ = true;
  bool keep_alive_ = false;
  bool flying_ = false;
  bool handed_over_ = false;
};

} // namespace

void start_connection(const std::shared_ptr<io_core>& core, tcp_socket socket, listener door,
                      admission how) {
  auto self = std::make_shared<connection>(core, std::move(socket), door);
  if (core->stopping)
    return;
  core->sessions.insert(self);
  self->start(how);
}

} // namespace novacron
