#include "tests/bench/migration/page_pair.hpp"

#include "tests/becomes_true.hpp"
#include "tests/lab/qemu/bare_guest.hpp"

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace novacron::bench {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;
constexpr const char* door = "page-door";
constexpr const char* sender = "page-sender";

json::object read_object(const std::filesystem::path& file) {
  std::ifstream in{file};
  boost::system::error_code error;
  auto parsed = json::parse(std::string{std::istreambuf_iterator<char>{in}, {}}, error);
  if (error || !parsed.is_object())
    throw std::runtime_error{"no result in " + file.string()};
  return std::move(parsed.as_object());
}

} // namespace

page_pair::page_pair(const page_setup& setup, const lab::emulated_link& link,
                     const page_sockets& sockets, const std::filesystem::path& folder,
                     const kept_folder& kept)
    : setup_{setup}, link_{link}, sockets_{sockets}, folder_{folder} {
  door_
      = start(door, link.b(), setup.destination, sockets.in,
              kept.empty() ? std::vector<std::string>{} : std::vector<std::string>{"--kept", kept});
}

void page_pair::start_sender() {
  std::vector<std::string> more{"--streams", std::to_string(setup_.streams)};
  if (setup_.plain)
    more.emplace_back("--plain");
  sender_ = start(sender, link_.a(), setup_.source, sockets_.out, more);
}

child_process page_pair::start(const std::string& command, const lab::network_namespace& where,
                               const tls_files& tls, const std::filesystem::path& socket,
                               const std::vector<std::string>& more) const {
  std::vector<std::string> arguments{command, "--certificate", tls.certificate,  "--key",
                                     tls.key, "--authority",   tls.authority,    "--socket",
                                     socket,  "--result",      folder_ / command};
  arguments.insert(arguments.end(), more.begin(), more.end());
  auto process
      = lab::start_in(where.name(), setup_.program, arguments, folder_ / (command + ".log"));
  const auto ready = folder_ / (command + ".ready");
  if (!becomes_true(patience, [&] { return std::filesystem::exists(ready); }))
    throw std::runtime_error{command + " doesn't get ready"};
  return process;
}

void page_pair::note_end(json::object& row) {
  if (!sender_.wait(patience) || !door_.wait(patience))
    throw std::runtime_error{"the page session doesn't end"};
  const auto sent = read_object(folder_ / sender);
  const auto received = read_object(folder_ / door);
  for (const auto* end : {&sent, &received})
    if (const auto* why = end->if_contains("error"))
      throw std::runtime_error{"the page session failed: " + std::string{why->as_string()}};
  auto add = [&](const char* name, const json::object& end) {
    row[name] = row[name].to_number<double>() + end.at("cpu_seconds").to_number<double>();
  };
  add("cpu_seconds_src", sent);
  add("cpu_seconds_dst", received);
  row["session"] = sent;
}

} // namespace novacron::bench
