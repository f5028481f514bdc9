#include "runtime/certificates/token_file.hpp"

#include "runtime/certificates/secret_file.hpp"
#include "runtime/errors.hpp"

#include <sstream>

namespace novacron {

namespace {

constexpr size_t digest_letters = 64;

bool is_digest(const std::string& text) {
  return text.size() == digest_letters
         && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

} // namespace

result<std::vector<api_token>> read_token_file(const std::filesystem::path& file) {
  auto text = read_small_file(file, "the gateway's tokens");
  if (!text)
    return text.error();
  std::vector<api_token> tokens;
  std::istringstream lines{*text};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line.front() == '#')
      continue;
    std::istringstream words{line};
    api_token token;
    std::string more;
    if (!(words >> token.sha256 >> token.principal) || (words >> more) || !is_digest(token.sha256))
      return make_failure(runtime_errc::configuration,
                          file.string() + ':' + std::to_string(number)
                              + ": expected a SHA-256 of 64 hexadecimal digits, a blank, a name; "
                                "make one with: printf %s TOKEN | sha256sum");
    tokens.push_back(std::move(token));
  }
  if (tokens.empty())
    return make_failure(runtime_errc::configuration,
                        file.string() + ": holds no token; `novacron cluster init` makes one");
  return tokens;
}

} // namespace novacron
