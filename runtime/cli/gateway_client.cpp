#include "runtime/cli/gateway_client.hpp"

#include "runtime/errors.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/json/parse.hpp>
#include <charconv>
#include <exception>

namespace novacron {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr size_t max_answer = 64u << 20;
constexpr auto connect_time = 5s;

json::value parse_or_null(std::string_view text) {
  boost::system::error_code error;
  auto value = json::parse({text.data(), text.size()}, error);
  return error ? json::value{} : value;
}

/// Nothing for a date, which our gateways don't send.
std::optional<std::chrono::seconds> seconds_in(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return std::chrono::seconds{number};
}

asio::awaitable<void> connect(beast::tcp_stream& stream, const address& gateway) {
  asio::ip::tcp::resolver resolver{stream.get_executor()};
  auto found = co_await resolver.async_resolve(gateway.host, std::to_string(gateway.port),
                                               asio::use_awaitable);
  stream.expires_after(connect_time);
  co_await stream.async_connect(found, asio::use_awaitable);
}

asio::awaitable<client_reply> exchange(address gateway, std::string token, client_request request) {
  beast::tcp_stream stream{co_await asio::this_coro::executor};
  co_await connect(stream, gateway);
  http::request<http::string_body> message;
  message.method_string(request.method);
  message.target(request.path);
  message.version(11);
  message.set(http::field::host, to_string(gateway));
  message.set(http::field::authorization, "Bearer " + token);
  message.set(http::field::connection, "close");
  if (!request.idempotency_key.empty())
    message.set("Idempotency-Key", request.idempotency_key);
  if (!request.body.empty())
    message.set(http::field::content_type, "application/json");
  message.body() = request.body;
  message.prepare_payload();
  stream.expires_after(request.limit);
  co_await http::async_write(stream, message, asio::use_awaitable);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> answer;
  answer.body_limit(max_answer);
  co_await http::async_read(stream, buffer, answer, asio::use_awaitable);
  co_return client_reply{answer.get().result_int(), parse_or_null(answer.get().body()),
                         seconds_in(answer.get()[http::field::retry_after])};
}

asio::awaitable<client_reply> listen(address gateway, std::string token, std::string path,
                                     const std::function<bool(const json::value&)>& each) {
  websocket::stream<beast::tcp_stream> socket{co_await asio::this_coro::executor};
  co_await connect(beast::get_lowest_layer(socket), gateway);
  beast::get_lowest_layer(socket).expires_never();
  socket.set_option(websocket::stream_base::timeout::suggested(beast::role_type::client));
  socket.set_option(websocket::stream_base::decorator([&token](websocket::request_type& x) {
    x.set(http::field::authorization, "Bearer " + token);
  }));
  socket.read_message_max(max_answer);
  websocket::response_type answer;
  boost::system::error_code error;
  co_await socket.async_handshake(answer, to_string(gateway), path,
                                  asio::redirect_error(asio::use_awaitable, error));
  if (error == websocket::error::upgrade_declined)
    co_return client_reply{answer.result_int(), parse_or_null(answer.body()), {}};
  if (error)
    throw boost::system::system_error{error};
  beast::flat_buffer buffer;
  for (;;) {
    co_await socket.async_read(buffer, asio::use_awaitable);
    auto events
        = parse_or_null({static_cast<const char*>(buffer.data().data()), buffer.data().size()});
    buffer.clear();
    if (!each(events))
      co_return client_reply{200, {}, {}};
  }
}

/// Runs the coroutine to its end; what it throws becomes a failure.
result<client_reply> run(asio::awaitable<client_reply> work, const address& gateway) {
  asio::io_context io;
  std::exception_ptr thrown;
  client_reply reply;
  asio::co_spawn(io, std::move(work), [&](std::exception_ptr error, client_reply answer) {
    thrown = error;
    reply = std::move(answer);
  });
  io.run();
  if (!thrown)
    return reply;
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& error) {
    auto late = error.code() == beast::error::timeout;
    return make_failure(late ? runtime_errc::timed_out : runtime_errc::answer,
                        "no answer from the gateway at " + to_string(gateway) + ": "
                            + error.code().message()
                            + "\nstart a node with a gateway, or name another one with --url");
  }
}

} // namespace

result<gateway_client> gateway_client::make(std::string_view url, std::string token) {
  constexpr std::string_view scheme = "http://";
  auto place = url;
  if (place.starts_with(scheme))
    place.remove_prefix(scheme.size());
  while (place.ends_with('/'))
    place.remove_suffix(1);
  auto gateway = parse_address(place);
  if (!gateway || gateway->port == 0)
    return make_failure(runtime_errc::configuration,
                        "--url: \"" + std::string{url}
                            + "\" is not a gateway's URL\nwrite it as http://127.0.0.1:7180");
  return gateway_client{std::move(*gateway), std::move(token)};
}

result<client_reply> gateway_client::ask(const client_request& request) const {
  return run(exchange(gateway_, token_, request), gateway_);
}

result<client_reply>
gateway_client::follow(const std::string& path,
                       const std::function<bool(const boost::json::value&)>& each) const {
  return run(listen(gateway_, token_, path, each), gateway_);
}

} // namespace novacron
