#pragma once

#include "hypervisor/fencer/fencer.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace novacron {

/// What is said over the fencer's control socket: a packet of text each way.
///
///     status                                         what does it do?
///     deadline <nanoseconds on CLOCK_BOOTTIME>       guests may run until then
///     stop                                           end libvirtd and the fencer
///
///     ok deadline=<nanoseconds|none> fenced=<0|1> killed=<n> dying=<n> libvirtd=<pid> pid=<pid>
///     error <sentence>
///
/// With a watchdog ` watchdog=<seconds>` ends the answer. A fencer lives through upgrades of its
/// agent, so one without answers as it did before there were any. Anything else, and anything
/// longer, is no request or no answer.
inline constexpr size_t longest_control_packet = 512;

struct status_question {};
struct deadline_order {
  std::chrono::nanoseconds deadline;
};
struct stop_order {};
using control_request = std::variant<status_question, deadline_order, stop_order>;

std::string encode(const control_request& request);
std::optional<control_request> decode_control_request(std::string_view packet);

std::string encode(const fencer_status& status);
/// An error's sentence is cut to the longest packet.
std::string encode_control_error(std::string_view sentence);
/// The sentence of an error answer comes back as `refused`; nonsense as `unreachable`.
result<fencer_status> decode_control_answer(std::string_view packet);

} // namespace novacron
