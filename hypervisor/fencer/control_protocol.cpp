#include "hypervisor/fencer/control_protocol.hpp"

#include "hypervisor/errors.hpp"

#include <charconv>

namespace novacron {

namespace {

template <class Number>
bool take_number(std::string_view& text, std::string_view key, Number& number) {
  if (!text.starts_with(key))
    return false;
  text.remove_prefix(key.size());
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc{};
}

bool take_deadline(std::string_view& text, std::optional<std::chrono::nanoseconds>& deadline) {
  constexpr std::string_view none = "ok deadline=none";
  if (text.starts_with(none)) {
    text.remove_prefix(none.size());
    return true;
  }
  int64_t count = 0;
  if (!take_number(text, "ok deadline=", count))
    return false;
  deadline = std::chrono::nanoseconds{count};
  return true;
}

} // namespace

std::string encode(const control_request& request) {
  if (const auto* x = std::get_if<deadline_order>(&request))
    return "deadline " + std::to_string(x->deadline.count());
  return std::holds_alternative<stop_order>(request) ? "stop" : "status";
}

std::optional<control_request> decode_control_request(std::string_view packet) {
  if (packet == "status")
    return status_question{};
  if (packet == "stop")
    return stop_order{};
  int64_t deadline = 0;
  if (!take_number(packet, "deadline ", deadline) || !packet.empty() || deadline < 0)
    return {};
  return deadline_order{std::chrono::nanoseconds{deadline}};
}

std::string encode(const fencer_status& x) {
  return "ok deadline=" + (x.deadline ? std::to_string(x.deadline->count()) : "none")
         + " fenced=" + (x.fenced ? "1" : "0") + " killed=" + std::to_string(x.killed)
         + " dying=" + std::to_string(x.dying) + " libvirtd=" + std::to_string(x.libvirtd_pid)
         + " pid=" + std::to_string(x.pid)
         + (x.watchdog.count() == 0 ? "" : " watchdog=" + std::to_string(x.watchdog.count()));
}

std::string encode_control_error(std::string_view sentence) {
  return ("error " + std::string{sentence}).substr(0, longest_control_packet);
}

result<fencer_status> decode_control_answer(std::string_view packet) {
  constexpr std::string_view error = "error ";
  if (packet.starts_with(error))
    return make_failure(hypervisor_errc::refused,
                        "the fencer refused: " + std::string{packet.substr(error.size())});
  fencer_status x;
  int fenced = 0;
  int64_t watchdog = 0;
  if (!take_deadline(packet, x.deadline) || !take_number(packet, " fenced=", fenced)
      || !take_number(packet, " killed=", x.killed) || !take_number(packet, " dying=", x.dying)
      || !take_number(packet, " libvirtd=", x.libvirtd_pid) || !take_number(packet, " pid=", x.pid)
      || (!packet.empty() && !take_number(packet, " watchdog=", watchdog)) || !packet.empty())
    return make_failure(hypervisor_errc::unreachable,
                        "the fencer's answer makes no sense; is it of another version? restart it");
  x.fenced = fenced == 1;
  x.watchdog = std::chrono::seconds{watchdog};
  return x;
}

} // namespace novacron
