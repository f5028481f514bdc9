#include "tests/bench/migration/page_ends.hpp"

#include "dwcp/kept_memory/kept_memory.hpp"
#include "tests/lab/link/emulated_link.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <fstream>
#include <future>
#include <sys/resource.h>

namespace novacron::bench {

namespace json = boost::json;

namespace {

constexpr uint16_t port = 7'411;
constexpr uint64_t kept_bound = uint64_t{4} << 30;

session_ticket ticket() {
  session_ticket out{{{1, 1}}, source_node(), destination_node(), {1, 1}, {}};
  out.token.fill(std::byte{0x5a});
  return out;
}

double own_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& x) {
    return static_cast<double>(x.tv_sec) + static_cast<double>(x.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int keep(const page_end& end, const result<session_statistics>& how) {
  json::object out{{"cpu_seconds", own_cpu_seconds()}};
  if (how) {
    out["guest_bytes"] = how->guest_bytes;
    out["wire_bytes"] = how->wire_bytes;
    out["full_pages"] = how->full_pages;
    out["zero_pages"] = how->zero_pages;
    out["same_pages"] = how->same_pages;
    out["changed_pages"] = how->changed_pages;
    out["lent_pages"] = how->lent_pages;
    out["opaque_bytes"] = how->opaque_bytes;
    out["batches"] = how->batches;
    out["compressed_bytes"] = how->compressed_bytes;
    out["rounds"] = how->rounds;
    out["streams"] = how->streams;
    out["carrying_streams"] = how->carrying_streams;
    out["congestion_control"] = how->congestion_control;
    out["chain_ok"] = how->chain_ok;
  } else {
    out["error"] = how.error().message;
  }
  const auto fresh = end.result.string() + ".new";
  std::ofstream{fresh} << json::serialize(out) << '\n';
  std::filesystem::rename(fresh, end.result);
  return how ? 0 : 1;
}

/// It listens, and whoever waits for that may connect.
void say_ready(const page_end& end) {
  std::ofstream{end.result.string() + ".ready"} << '\n';
}

int complain(const failure& why) {
  std::fprintf(stderr, "bench_migration: %s\n", why.message.c_str());
  return 1;
}

} // namespace

node_id source_node() {
  return {{2, 2}};
}
node_id destination_node() {
  return {{3, 3}};
}

int run_page_door(const page_end& end) {
  auto door = open_page_door(end.tls, lab::emulated_link::address_b, port);
  if (!door)
    return complain(door.error());
  std::promise<result<session_statistics>> ended;
  receive_options options;
  options.stream_socket = end.socket;
  if (!end.kept.empty()) {
    auto kept = kept_memory::open(end.kept, kept_bound);
    if (!kept)
      return complain(kept.error());
    options.kept = std::move(*kept);
    options.guest = {{1, 2}};
  }
  auto receiver = (*door)->expect(
      ticket(), options, [&](result<session_statistics> how) { ended.set_value(std::move(how)); });
  if (!receiver)
    return complain(receiver.error());
  say_ready(end);
  return keep(end, ended.get_future().get());
}

int run_page_sender(const page_end& end) {
  std::promise<result<session_statistics>> ended;
  send_options options;
  options.stream_socket = end.socket;
  options.destination_host = lab::emulated_link::address_b;
  options.destination_port = port;
  options.streams = end.streams;
  options.compress = !end.plain;
  auto sender = start_page_sender(end.tls, ticket(), options, [&](result<session_statistics> how) {
    ended.set_value(std::move(how));
  });
  if (!sender)
    return complain(sender.error());
  say_ready(end);
  return keep(end, ended.get_future().get());
}

} // namespace novacron::bench
