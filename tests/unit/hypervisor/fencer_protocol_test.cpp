#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/control_protocol.hpp"
#include "hypervisor/fencer/fencer_arguments.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

TEST_CASE("each control request reads back as it was written") {
  CHECK(
      std::holds_alternative<status_question>(*decode_control_request(encode(status_question{}))));
  CHECK(std::holds_alternative<stop_order>(*decode_control_request(encode(stop_order{}))));
  auto moved = decode_control_request(encode(deadline_order{1234567890123456789ns}));
  CHECK(std::get<deadline_order>(*moved).deadline == 1234567890123456789ns);
}

TEST_CASE("what is no control request is none") {
  for (std::string_view packet :
       {"", "s", "status ", " status", "stop\n", "deadline", "deadline ", "deadline x",
        "deadline 5 ", "deadline -1", "deadline 9223372036854775808", "DEADLINE 5"}) {
    CAPTURE(packet);
    CHECK_FALSE(decode_control_request(packet).has_value());
  }
}

TEST_CASE("a fencer's status reads back as it was written") {
  for (auto deadline : {std::optional<std::chrono::nanoseconds>{}, std::optional{77ns}}) {
    fencer_status said{deadline, deadline.has_value(), 3, 1, 4711, 4710};
    auto heard = decode_control_answer(encode(said));
    REQUIRE(heard.has_value());
    CHECK(heard->deadline == said.deadline);
    CHECK(heard->fenced == said.fenced);
    CHECK(heard->killed == 3);
    CHECK(heard->dying == 1);
    CHECK(heard->libvirtd_pid == 4711);
    CHECK(heard->pid == 4710);
    CHECK(heard->watchdog == 0s);
  }
}

TEST_CASE("a fencer says that it has a watchdog, and nothing of it when it has none") {
  fencer_status said;
  CHECK(encode(said).find("watchdog") == std::string::npos); // as before there were any
  said.watchdog = 6s;
  auto heard = decode_control_answer(encode(said));
  REQUIRE(heard.has_value());
  CHECK(heard->watchdog == 6s);
}

TEST_CASE("a refusal keeps its sentence, and nonsense is no answer") {
  auto refused = decode_control_answer(encode_control_error("the disk is full"));
  CHECK(refused.error().code == hypervisor_errc::refused);
  CHECK(refused.error().message.find("the disk is full") != std::string::npos);
  CHECK(encode_control_error(std::string(9999, 'x')).size() == longest_control_packet);
  auto whole = encode(fencer_status{});
  for (size_t length = 0; length + 1 < whole.size(); ++length)
    CHECK(decode_control_answer(whole.substr(0, length)).error().code
          == hypervisor_errc::unreachable);
  CHECK_FALSE(decode_control_answer(whole + "x").has_value());
  CHECK_FALSE(decode_control_answer(whole + " watchdog=").has_value());
}

TEST_CASE("a fencer's command line reads back as it was written") {
  fencer_config config{{random_uuid()}, "/var/lib/x y", libvirt_mode::system, "someone", "/opt/d"};
  auto back = parse_fencer_arguments(fencer_arguments(config));
  REQUIRE(back.has_value());
  CHECK(back->host == config.host);
  CHECK(back->state == config.state);
  CHECK(back->mode == config.mode);
  CHECK(back->user == config.user);
  CHECK(back->libvirtd == config.libvirtd);
  CHECK_FALSE(back->watchdog);
  config.watchdog = watchdog_config{"/dev/watch dog", 7s};
  back = parse_fencer_arguments(fencer_arguments(config));
  REQUIRE(back.has_value());
  REQUIRE(back->watchdog.has_value());
  CHECK(back->watchdog->device == "/dev/watch dog");
  CHECK(back->watchdog->timeout == 7s);
}

TEST_CASE("a wrong command line is refused, and the argument is named") {
  auto good = fencer_arguments({{random_uuid()}, "/s"});
  auto complaint = [&](size_t at, const std::string& value) {
    auto wrong = good;
    wrong[at] = value;
    auto parsed = parse_fencer_arguments(wrong);
    return parsed ? std::string{} : parsed.error().message;
  };
  CHECK(complaint(0, "node").find("fencer") != std::string::npos);
  CHECK(complaint(1, "--hots").find("--hots") != std::string::npos);
  CHECK(complaint(2, "not-a-uuid").find("--host") != std::string::npos);
  CHECK(complaint(4, "").find("--state") != std::string::npos);
  CHECK(complaint(6, "both").find("--mode") != std::string::npos);
  auto watched = good;
  watched.insert(watched.end(), {"--watchdog", "/dev/watchdog", "--watchdog-timeout", "0"});
  CHECK_FALSE(parse_fencer_arguments(watched).has_value());
  good.pop_back();
  CHECK_FALSE(parse_fencer_arguments(good).has_value());
  CHECK_FALSE(parse_fencer_arguments(std::vector<std::string>{"fencer"}).has_value());
}
