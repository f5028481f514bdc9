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

void wait_for(const std::filesystem::path& file) {
  if (!becomes_true(patience, [&] { return std::filesystem::exists(file); }))
    throw std::runtime_error{file.string() + " doesn't appear"};
}

} // namespace

page_pair::page_pair(const page_setup& setup, const lab::emulated_link& link,
                     const page_sockets& sockets, const std::filesystem::path& folder,
                     const kept_folder& kept)
    : folder_{folder} {
  auto start
      = [&](const std::string& command, const lab::network_namespace& where, const tls_files& tls,
            const std::filesystem::path& socket, const std::vector<std::string>& more) {
          std::vector<std::string> arguments{command, "--certificate", tls.certificate, "--key",
                                             tls.key, "--authority",   tls.authority,   "--socket",
                                             socket,  "--result",      folder / command};
          arguments.insert(arguments.end(), more.begin(), more.end());
          return lab::start_in(where.name(), setup.program, arguments, folder / (command + ".log"));
        };
  door_
      = start(door, link.b(), setup.destination, sockets.in,
              kept.empty() ? std::vector<std::string>{} : std::vector<std::string>{"--kept", kept});
  wait_for(folder / (std::string{door} + ".ready"));
  sender_
      = start(sender, link.a(), setup.source, sockets.out,
              {"--streams", std::to_string(setup.streams), "--level", std::to_string(setup.level)});
  wait_for(sockets.out);
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
