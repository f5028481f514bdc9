#include "tests/lab/link/emulated_link.hpp"
#include "tests/lab/link/tcp_rate.hpp"
#include "tests/lab/link/tun_device.hpp"

#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>

using namespace novacron::lab;
using namespace std::chrono_literals;

TEST_CASE("a large packet counts as the segments that it would travel in") {
  std::vector<std::byte> packet(sizeof(packet_head) + 40 + 3'000);
  CHECK(bytes_on_wire(packet.data(), packet.size()) == 3'040);
  packet_head head;
  head.segmentation = 1;
  head.segment_bytes = 1'460;
  head.checksum_start = 20;
  std::memcpy(packet.data(), &head, sizeof head);
  packet[sizeof head + 20 + 12] = std::byte{0x50}; // a TCP header of 20 bytes
  CHECK(bytes_on_wire(packet.data(), packet.size()) == 3'000 + 3 * 40);
}

TEST_CASE("TCP gets at least 85 % of the link's rate, and never more than all") {
  if (const auto why = why_no_links()) {
    MESSAGE("skipped: ", *why);
    return;
  }
  constexpr double rate = 40;
  constexpr size_t bytes = 8'000'000;
  const emulated_link link{{.rate_mbit_per_s = rate, .delay = 10ms}};
  const auto got = tcp_rate_mbit_per_s(link, bytes);
  CHECK(got >= 0.85 * rate);
  CHECK(got <= rate);
  CHECK(link.from_a().bytes > bytes);
  CHECK(link.from_a().bytes < bytes * 1.25);
  CHECK(link.from_a().lost == 0);
}

TEST_CASE("a congestion control is that of a link's namespaces alone") {
  if (const auto why = why_no_links()) {
    MESSAGE("skipped: ", *why);
    return;
  }
  auto current = [] {
    std::string name;
    std::ifstream{"/proc/sys/net/ipv4/tcp_congestion_control"} >> name;
    return name;
  };
  const auto ours = current();
  const emulated_link link{{}};
  CHECK(link.congestion_control() == ours);
  link.set_congestion_control("reno"); // which every kernel has
  CHECK(link.congestion_control() == "reno");
  for (const auto* where : {&link.a(), &link.b()})
    where->inside([&] { CHECK(current() == "reno"); });
  CHECK(current() == ours);
  CHECK_THROWS(link.set_congestion_control("pigeons"));
}

TEST_CASE("what a link loses TCP sends again") {
  if (const auto why = why_no_links()) {
    MESSAGE("skipped: ", *why);
    return;
  }
  constexpr size_t bytes = 4'000'000;
  const emulated_link link{{.rate_mbit_per_s = 100, .delay = 1ms, .loss = 0.005}};
  CHECK(tcp_rate_mbit_per_s(link, bytes) > 0);
  CHECK(link.from_a().lost > 0);
}

TEST_CASE("what a killed process left behind is removed by the next") {
  if (const auto why = why_no_links()) {
    MESSAGE("skipped: ", *why);
    return;
  }
  const auto child = ::fork();
  if (child == 0) {
    const network_namespace left{"left"};
    ::_exit(0);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  REQUIRE(status == 0);
  const std::filesystem::path file = "/run/netns/novacron-" + std::to_string(child) + "-left";
  REQUIRE(std::filesystem::exists(file));
  network_namespace::remove_abandoned();
  CHECK_FALSE(std::filesystem::exists(file));
}
