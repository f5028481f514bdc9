#include "hypervisor/simulated/machine_calls.hpp"

namespace novacron {

namespace {

constexpr auto command = "simulated-machine";
constexpr uint32_t longest_message = 1 << 20;
/// Perform takes as long as memory travels; who waits for it can abort it.
constexpr auto perform_limit = std::chrono::hours{24};

} // namespace

std::vector<std::string> machine_arguments(const machine_config& config) {
  return {command, "--state", config.state.native()};
}

result<machine_config> parse_machine_arguments(const std::vector<std::string>& arguments) {
  if (arguments.size() != 3 || arguments[0] != command || arguments[1] != "--state"
      || arguments[2].empty())
    return make_failure(hypervisor_errc::refused,
                        "can't start a simulated machine: say simulated-machine --state FOLDER");
  return machine_config{arguments[2]};
}

std::filesystem::path machine_socket(const machine_config& config) {
  return config.state / "machine.sock";
}

result<stream_socket> reach_machine(const machine_config& config) {
  auto stream = stream_socket::connect(machine_socket(config));
  if (!stream)
    return make_failure(hypervisor_errc::unreachable,
                        "no simulated machine answers in " + config.state.native() + " ("
                            + stream.error().message + "); see its machine.log");
  return stream;
}

result<void> send_message(stream_socket& stream, const wire_writer& message,
                          const std::atomic<bool>& stop) {
  std::vector<std::byte> bytes;
  put_big_endian(bytes, static_cast<uint32_t>(message.bytes().size()));
  bytes.insert(bytes.end(), message.bytes().begin(), message.bytes().end());
  return stream.write(bytes, stop);
}

result<std::vector<std::byte>> receive_message(stream_socket& stream, const std::atomic<bool>& stop,
                                               std::chrono::milliseconds limit) {
  std::array<std::byte, sizeof(uint32_t)> head{};
  if (auto read = stream.read(head, stop, limit); !read)
    return read.error();
  const auto size = get_big_endian<uint32_t>(head);
  if (size > longest_message)
    return make_failure(hypervisor_errc::aborted, "a message of " + std::to_string(size)
                                                      + " bytes is too long; it was not read");
  std::vector<std::byte> bytes(size);
  if (auto read = stream.read(bytes, stop, limit); !read)
    return read.error();
  return bytes;
}

result<std::vector<std::byte>> exchange(stream_socket& stream, machine_call call,
                                        const wire_writer& request, const std::atomic<bool>& stop) {
  if (auto sent = send_message(stream, request, stop); !sent)
    return make_failure(hypervisor_errc::unreachable, sent.error().message);
  const std::chrono::milliseconds limit
      = call == machine_call::migration_perform ? perform_limit : stream_socket::silence_limit;
  auto answer = receive_message(stream, stop, limit);
  if (!answer)
    return make_failure(hypervisor_errc::outcome_unknown,
                        "the simulated machine's answer was lost: " + answer.error().message);
  return answer;
}

failure failure_in(wire_reader& answer, int code) {
  std::string text;
  answer(text);
  if (code < 0 || !answer.complete())
    return make_failure(hypervisor_errc::outcome_unknown,
                        "the simulated machine's answer makes no sense; are agent and machine of "
                        "one version?");
  return {{code, hypervisor_category()}, text};
}

result<void> set_machine_deadline(const machine_config& config, std::chrono::nanoseconds deadline) {
  auto stream = reach_machine(config);
  if (!stream)
    return stream.error();
  const std::atomic<bool> stop{false};
  return ask_machine<void>(*stream, machine_call::set_deadline, 0, stop, deadline);
}

result<machine_sight> look_at_machine(const machine_config& config) {
  auto stream = reach_machine(config);
  if (!stream)
    return stream.error();
  const std::atomic<bool> stop{false};
  auto guests = ask_machine<std::vector<guest_status>>(*stream, machine_call::list, 0, stop);
  if (!guests)
    return guests.error();
  return machine_sight{stream->peer_pid(), std::move(*guests)};
}

} // namespace novacron
