#include "hypervisor/fencer/control_protocol.hpp"
#include "hypervisor/fencer/fencer_arguments.hpp"

#include <cstdlib>
#include <sstream>

using namespace novacron;

/// What the fencer reads: requests on its socket, marks in the environment of
/// any process, its own arguments; and what the agent reads, its answers.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  if (const auto request = decode_control_request(text)) {
    const auto again = decode_control_request(encode(*request));
    if (!again || again->index() != request->index())
      std::abort();
    const auto* order = std::get_if<deadline_order>(&*request);
    if (order != nullptr
        && (order->deadline.count() < 0
            || std::get<deadline_order>(*again).deadline != order->deadline))
      std::abort();
  }
  if (const auto answer = decode_control_answer(text)) {
    const auto written = encode(*answer);
    const auto again = decode_control_answer(written);
    if (written.size() > longest_control_packet || !again || encode(*again) != written)
      std::abort();
  }
  if (encode_control_error(text).size() > longest_control_packet)
    std::abort();
  if (const auto mark = parse_guest_mark(text)) {
    const auto again = parse_guest_mark(to_string(*mark));
    if (!again || to_string(*again) != to_string(*mark))
      std::abort();
  }
  std::istringstream lines{text};
  std::vector<std::string> arguments;
  for (std::string line; std::getline(lines, line);)
    arguments.push_back(line);
  if (const auto config = parse_fencer_arguments(arguments)) {
    const auto again = parse_fencer_arguments(fencer_arguments(*config));
    if (!again || fencer_arguments(*again) != fencer_arguments(*config))
      std::abort();
  }
  return 0;
}
