#include "hypervisor/simulated/machine_server.hpp"

#include "hypervisor/fencer/pid_handle.hpp"
#include "hypervisor/simulated/simulated_hypervisor.hpp"
#include "messages/descriptor.hpp"

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <tuple>

namespace novacron {

namespace {

constexpr std::chrono::milliseconds pulse{5};
constexpr int cannot_begin = 2;
constexpr auto whole_life = std::chrono::hours{24 * 365};

wire_writer refusal(const failure& why) {
  wire_writer out;
  out(why.code.value(), why.message);
  return out;
}

/// Reads the call's arguments, makes the call, and writes what it gave.
template <class Value, class... Parameters>
wire_writer answer(hypervisor& driver, wire_reader& in,
                   result<Value> (hypervisor::*call)(Parameters...)) {
  std::tuple<std::decay_t<Parameters>...> arguments;
  std::apply([&](auto&... each) { in(each...); }, arguments);
  if (!in.complete())
    return refusal(make_failure(hypervisor_errc::refused,
                                "the call's arguments make no sense; are agent and machine of "
                                "one version?"));
  auto outcome = std::apply([&](auto&... each) { return (driver.*call)(each...); }, arguments);
  if (!outcome)
    return refusal(outcome.error());
  wire_writer out;
  out(0);
  if constexpr (!std::is_void_v<Value>)
    out(*outcome);
  return out;
}

wire_writer answer(hypervisor& driver, machine_call call, wire_reader& in) {
  switch (call) {
  case machine_call::capacity:
    return answer(driver, in, &hypervisor::capacity);
  case machine_call::list:
    return answer(driver, in, &hypervisor::list);
  case machine_call::create:
    return answer(driver, in, &hypervisor::create);
  case machine_call::resume:
    return answer(driver, in, &hypervisor::resume);
  case machine_call::pause:
    return answer(driver, in, &hypervisor::pause);
  case machine_call::shutdown:
    return answer(driver, in, &hypervisor::shutdown);
  case machine_call::destroy:
    return answer(driver, in, &hypervisor::destroy);
  case machine_call::statistics:
    return answer(driver, in, &hypervisor::statistics);
  case machine_call::adopt:
    return answer(driver, in, &hypervisor::adopt);
  case machine_call::migration_begin:
    return answer(driver, in, &hypervisor::migration_begin);
  case machine_call::migration_prepare:
    return answer(driver, in, &hypervisor::migration_prepare);
  case machine_call::migration_perform:
    return answer(driver, in, &hypervisor::migration_perform);
  case machine_call::migration_finish:
    return answer(driver, in, &hypervisor::migration_finish);
  case machine_call::migration_confirm:
    return answer(driver, in, &hypervisor::migration_confirm);
  case machine_call::migration_abort:
    return answer(driver, in, &hypervisor::migration_abort);
  case machine_call::migration_statistics:
    return answer(driver, in, &hypervisor::migration_statistics);
  case machine_call::set_max_downtime:
    return answer(driver, in, &hypervisor::set_max_downtime);
  case machine_call::attach:
  case machine_call::set_deadline:
    break;
  }
  return refusal(make_failure(hypervisor_errc::not_supported, "no such call"));
}

} // namespace

machine_server::machine_server(std::shared_ptr<simulated_host> host, stream_socket listener,
                               deadline_file deadline)
    : host_{std::move(host)}, listener_{std::move(listener)}, deadline_{std::move(deadline)} {
  if (auto held = deadline_.read())
    host_->set_deadline(*held);
  sessions_[0] = make_simulated_hypervisor({host_});
  accepting_ = std::thread{[this] { accept(); }};
  pulse_ = std::thread{[this] {
    for (; !stop_; std::this_thread::sleep_for(pulse))
      host_->let_guests_run();
  }};
}

machine_server::~machine_server() {
  stop_ = true;
  accepting_.join();
  pulse_.join();
  host_->stop_daemon(); // ends what Perform waits for
  for (auto& each : connections_)
    each.thread.join();
}

void machine_server::accept() {
  while (!stop_) {
    auto stream = listener_.accept(stop_);
    connections_.remove_if([](connection& each) {
      const bool over = each.over; // once: it may end between two looks
      if (over)
        each.thread.join();
      return over;
    });
    if (!stream)
      continue;
    auto& client = connections_.emplace_back();
    client.stream = std::move(*stream);
    client.thread = std::thread{[this, &client] {
      serve(client);
      client.stream.shut();
      client.over = true;
    }};
  }
}

void machine_server::serve(connection& client) {
  auto request = receive_message(client.stream, stop_, stream_socket::silence_limit);
  if (!request)
    return;
  wire_reader in{*request};
  machine_call call{};
  uint64_t session = 0;
  in(call, session);
  if (call == machine_call::attach)
    attach(client);
  else
    static_cast<void>(send_message(client.stream, answer_to(call, session, in), stop_));
}

void machine_server::attach(connection& client) {
  std::shared_ptr<hypervisor> driver = make_simulated_hypervisor({host_});
  uint64_t session = 0;
  {
    std::lock_guard lock{mutex_};
    session = ++latest_session_;
    sessions_[session] = driver;
  }
  std::mutex sending; // the session's number before any event
  {
    std::lock_guard lock{sending};
    driver->subscribe([&](const guest_event& event) {
      std::lock_guard turn{sending};
      wire_writer text;
      text(event.vm);
      // An agent that doesn't take its events must attach anew, and look at all.
      if (!send_message(client.stream, text, stop_))
        client.stream.shut();
    });
    wire_writer number;
    number(session);
    static_cast<void>(send_message(client.stream, number, stop_));
  }
  std::array<std::byte, 1> nothing{};
  static_cast<void>(client.stream.read(nothing, stop_, whole_life)); // until it ends
  driver->subscribe({});
  std::lock_guard lock{mutex_};
  sessions_.erase(session);
}

wire_writer machine_server::move_deadline(wire_reader& arguments) {
  std::chrono::nanoseconds deadline{0};
  arguments(deadline);
  if (!arguments.complete())
    return refusal(make_failure(hypervisor_errc::refused, "a deadline that makes no sense"));
  std::lock_guard lock{mutex_}; // one at a time
  if (!deadline_.write(deadline))
    return refusal(
        make_failure(hypervisor_errc::refused, "can't write the simulated machine's deadline: "
                                                   + std::string{std::strerror(errno)}
                                                   + "; mend the disk, or guests will be fenced"));
  host_->set_deadline(deadline);
  wire_writer out;
  out(0);
  return out;
}

wire_writer machine_server::answer_to(machine_call call, uint64_t session, wire_reader& arguments) {
  if (call == machine_call::set_deadline)
    return move_deadline(arguments);
  auto driver = driver_of(session);
  if (!driver)
    return refusal(make_failure(hypervisor_errc::unreachable,
                                "the session with the simulated machine is over; attach again"));
  try {
    return answer(*driver, call, arguments);
  } catch (const std::bad_alloc&) {
    return refusal(make_failure(hypervisor_errc::refused,
                                "the machine has no memory for it; end other guests"));
  }
}

std::shared_ptr<hypervisor> machine_server::driver_of(uint64_t session) {
  std::lock_guard lock{mutex_};
  auto found = sessions_.find(session);
  return found == sessions_.end() ? nullptr : found->second;
}

int run_machine(const machine_config& config) {
  const auto fail = [](const std::string& why) {
    std::fprintf(stderr, "novacron simulated-machine: %s\n", why.c_str());
    return cannot_begin;
  };
  std::error_code error;
  std::filesystem::create_directories(config.state, error);
  if (!error)
    std::filesystem::permissions(config.state, std::filesystem::perms::owner_all, error);
  if (error)
    return fail("can't use " + config.state.native() + ": " + error.message());
  descriptor lock{
      ::open((config.state / "machine.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail("can't lock " + config.state.native() + ": " + std::strerror(errno)
                + "; is another machine running there?");
  auto listener = stream_socket::listen(machine_socket(config));
  if (!listener)
    return fail(listener.error().message);
  simulated_host_config real;
  real.pages_per_guest = 0;
  machine_server server{std::make_shared<simulated_host>(real), std::move(*listener),
                        deadline_file{config.state / "deadline", current_boot()}};
  for (;;)
    ::pause(); // the default action of SIGTERM is the end: a machine is switched off
}

} // namespace novacron
