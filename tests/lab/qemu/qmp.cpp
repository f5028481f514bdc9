#include "tests/lab/qemu/qmp.hpp"

#include "dwcp/transport/sockets.hpp"
#include "tests/becomes_true.hpp"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

namespace novacron::lab {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 30s;

} // namespace

qmp::qmp(const std::filesystem::path& socket) {
  const auto connected = becomes_true(patience, [&] {
    auto made = connect_unix(socket);
    if (made)
      socket_ = std::move(*made);
    return made.has_value();
  });
  if (!connected)
    throw std::runtime_error{"no QEMU listens at " + socket.string()};
  if (!receive(patience).contains("QMP"))
    throw std::runtime_error{"no greeting at " + socket.string()};
  call("qmp_capabilities");
}

json::value qmp::call(const std::string& command, json::object arguments) {
  const auto text
      = json::serialize(json::object{{"execute", command}, {"arguments", std::move(arguments)}})
        + '\n';
  if (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL)
      != static_cast<ssize_t>(text.size()))
    throw std::runtime_error{command + ": QEMU is gone"};
  for (;;) {
    const auto answer = receive(patience);
    if (const auto* value = answer.if_contains("return"))
      return *value;
    if (const auto* error = answer.if_contains("error"))
      throw std::runtime_error{command + ": " + json::serialize(*error)};
    if (answer.empty())
      throw std::runtime_error{command + ": QEMU doesn't answer"};
    note(answer);
  }
}

bool qmp::saw(const std::string& event) {
  for (auto message = receive(0ms); !message.empty(); message = receive(0ms))
    note(message);
  return events_.contains(event);
}

void qmp::note(const json::object& event) {
  const auto* name = event.if_contains("event");
  if (name == nullptr)
    return;
  const auto& stamp = event.at("timestamp").as_object();
  events_[std::string{name->as_string()}] = std::chrono::system_clock::time_point{
      std::chrono::seconds{stamp.at("seconds").as_int64()}
      + std::chrono::microseconds{stamp.at("microseconds").as_int64()}};
}

json::object qmp::receive(std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (const auto end = input_.find('\n'); end != input_.npos) {
      auto parsed = json::parse(input_.substr(0, end));
      input_.erase(0, end + 1);
      return std::move(parsed.as_object());
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        std::max(until - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration{0}));
    pollfd readable{socket_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(left.count())) <= 0)
      return {};
    std::array<char, 16'384> buffer;
    const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      continue;
    if (got <= 0)
      throw std::runtime_error{"QEMU has closed its monitor"};
    input_.append(buffer.data(), static_cast<size_t>(got));
  }
}

} // namespace novacron::lab
