#include "runtime/demo/api_client.hpp"

#include "runtime/descriptor.hpp"
#include "runtime/errors.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

namespace novacron {

namespace {

constexpr size_t max_answer_bytes = 8u << 20;
using clock = std::chrono::steady_clock;

failure broken(const std::string& what) {
  return make_failure(runtime_errc::answer, what + ": " + std::strerror(errno));
}

bool ready(int socket, short events, clock::time_point deadline) {
  const auto rest
      = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
  pollfd one{socket, events, 0};
  errno = ETIMEDOUT;
  return rest > 0 && ::poll(&one, 1, static_cast<int>(rest)) == 1;
}

result<descriptor> connect_to(const endpoint& where, clock::time_point deadline) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(where.port);
  if (::inet_pton(AF_INET, where.host.c_str(), &address.sin_addr) != 1)
    return make_failure(runtime_errc::answer, where.host + " is no IPv4 address");
  descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket)
    return broken("no socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINPROGRESS || !ready(socket.get(), POLLOUT, deadline))
      return broken("no connection to " + to_string(where));
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (errno = error; error != 0)
      return broken("no connection to " + to_string(where));
  }
  return socket;
}

result<void> send_all(int socket, std::string_view bytes, clock::time_point deadline) {
  while (!bytes.empty()) {
    if (!ready(socket, POLLOUT, deadline))
      return broken("the request could not be sent");
    const auto n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      return broken("the request could not be sent");
    bytes.remove_prefix(n > 0 ? static_cast<size_t>(n) : 0);
  }
  return {};
}

result<std::string> read_all(int socket, clock::time_point deadline) {
  std::string answer;
  std::array<char, 16'384> piece{};
  while (answer.size() <= max_answer_bytes) {
    if (!ready(socket, POLLIN, deadline))
      return broken("no answer in time");
    const auto n = ::recv(socket, piece.data(), piece.size(), 0);
    if (n == 0)
      return answer;
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      return broken("the answer broke off");
    answer.append(piece.data(), n > 0 ? static_cast<size_t>(n) : 0);
  }
  return make_failure(runtime_errc::answer, "the answer is larger than 8 MiB");
}

std::string header_of(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const auto end = std::min(head.find("\r\n"), head.size());
    const auto line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const auto colon = line.find(':');
    if (colon == name.size() && ::strncasecmp(line.data(), name.data(), name.size()) == 0) {
      const auto value = line.substr(colon + 1);
      const auto begin = value.find_first_not_of(' ');
      return begin == std::string_view::npos ? "" : std::string{value.substr(begin)};
    }
  }
  return {};
}

result<api_reply> parse_reply(const std::string& answer) {
  const auto head_end = answer.find("\r\n\r\n");
  constexpr size_t status_at = 9; // after "HTTP/1.1 "
  api_reply reply;
  if (head_end == std::string::npos || head_end < status_at + 3
      || std::from_chars(answer.data() + status_at, answer.data() + status_at + 3, reply.status).ec
             != std::errc{})
    return make_failure(runtime_errc::answer, "the answer broke off, or is no HTTP");
  const auto body = answer.substr(head_end + 4);
  const auto length = header_of(std::string_view{answer}.substr(0, head_end), "Content-Length");
  if (!length.empty() && length != std::to_string(body.size()))
    return make_failure(runtime_errc::answer, "the answer broke off");
  if (body.empty())
    return reply;
  boost::json::error_code error;
  reply.body = boost::json::parse(body, error);
  if (error)
    return make_failure(runtime_errc::answer, "the answer is no JSON: " + body.substr(0, 80));
  return reply;
}

} // namespace

api_client::api_client(endpoint gateway, std::string token)
    : gateway_{std::move(gateway)}, token_{std::move(token)} {
  // nop
}

result<api_reply> api_client::call(const api_call& what) const {
  const auto deadline = clock::now() + what.limit;
  auto socket = connect_to(gateway_, deadline);
  if (!socket)
    return socket.error();
  const auto body = what.body.is_null() ? std::string{} : boost::json::serialize(what.body);
  auto request = what.method + ' ' + what.path + " HTTP/1.1\r\nHost: " + to_string(gateway_)
                 + "\r\nConnection: close\r\nAuthorization: Bearer " + token_ + "\r\n";
  if (!what.idempotency_key.empty())
    request += "Idempotency-Key: " + what.idempotency_key + "\r\n";
  if (!body.empty())
    request += "Content-Type: application/json\r\n";
  if (what.method != "GET")
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  request += "\r\n" + body;
  if (auto sent = send_all(socket->get(), request, deadline); !sent)
    return sent.error();
  auto answer = read_all(socket->get(), deadline);
  if (!answer)
    return answer.error();
  return parse_reply(*answer);
}

const boost::json::value& value_at(const boost::json::value& object, std::string_view key) {
  static const boost::json::value nothing;
  const auto* members = object.if_object();
  const auto* found = members ? members->if_contains(key) : nullptr;
  return found ? *found : nothing;
}

std::string text_at(const boost::json::value& object, std::string_view key) {
  const auto* text = value_at(object, key).if_string();
  return text ? std::string{text->data(), text->size()} : std::string{};
}

double number_at(const boost::json::value& object, std::string_view key) {
  const auto& value = value_at(object, key);
  if (const auto* x = value.if_double())
    return *x;
  if (const auto* x = value.if_int64())
    return static_cast<double>(*x);
  const auto* x = value.if_uint64();
  return x ? static_cast<double>(*x) : 0;
}

bool flag_at(const boost::json::value& object, std::string_view key) {
  const auto* flag = value_at(object, key).if_bool();
  return flag && *flag;
}

} // namespace novacron
