#pragma once

#include "cli_server.hpp"
#include "runtime/cli/client_commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <doctest/doctest.h>
#include <fstream>
#include <map>
#include <sstream>

namespace novacron {

/// Runs the client's commands against a gateway of canned answers.
struct cli_fixture {
  std::map<std::string, std::vector<cli_server::answer>> canned; ///< the last one stays
  cli_server server{[this](const std::string& line, const std::string&) {
    auto at = canned.find(line);
    if (at == canned.end())
      return cli_server::answer{404, R"({"title":"No such path","detail":"ask for another"})"};
    auto answer = at->second.front();
    if (at->second.size() > 1)
      at->second.erase(at->second.begin());
    return answer;
  }};
  std::string token_file;
  std::ostringstream out;
  std::ostringstream err;

  cli_fixture() {
    char name[] = "/tmp/novacron-cli-test-XXXXXX";
    ::close(::mkstemp(name));
    token_file = name;
    std::ofstream{token_file} << "secret\n";
  }
  ~cli_fixture() { ::unlink(token_file.c_str()); }

  int run(const std::vector<std::string>& arguments, bool redraws = false) {
    out.str("");
    err.str("");
    CLI::App app;
    std::function<int()> chosen;
    add_client_commands(app, chosen, {out, err, redraws});
    auto lacks = [&](const char* option) { return std::ranges::count(arguments, option) == 0; };
    std::vector<std::string> all;
    if (lacks("--url"))
      all.insert(all.end(), {"--url", server.url});
    if (lacks("--token-file"))
      all.insert(all.end(), {"--token-file", token_file});
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<std::string> reversed{all.rbegin(), all.rend()};
    try {
      app.parse(reversed);
    } catch (const CLI::ParseError& error) {
      err << error.what();
      return 2;
    }
    REQUIRE(chosen);
    return chosen();
  }

  std::string last_line() const {
    auto text = err.str();
    text.erase(text.find_last_not_of('\n') + 1);
    return text.substr(text.rfind('\n') + 1);
  }
  /// The last request carried exactly this.
  bool sent_body(const std::string& body) const {
    return server.requests().back().ends_with("\r\n\r\n" + body);
  }
};

} // namespace novacron
