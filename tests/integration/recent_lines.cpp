#include "tests/integration/recent_lines.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace novacron::test {

namespace {

constexpr size_t most_lines = 200;

std::string seconds_now() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  char text[32];
  std::snprintf(text, sizeof text, "%.3f ", std::chrono::duration<double>(now).count());
  return text;
}

} // namespace

void recent_lines::write(log_level level, std::string_view module, std::string_view message,
                         std::span<const log_field> fields) {
  auto line
      = seconds_now() + to_string(level) + ' ' + std::string{module} + ": " + std::string{message};
  for (const auto& field : fields)
    line += ' ' + std::string{field.name} + '=' + field.value.substr(0, 8);
  if (std::getenv("NOVACRON_TEST_LOG") != nullptr)
    std::fprintf(stderr, "%s\n", line.c_str());
  std::lock_guard lock{mutex_};
  lines_.push_back(std::move(line));
  if (lines_.size() > most_lines)
    lines_.pop_front();
}

std::string recent_lines::text() const {
  std::lock_guard lock{mutex_};
  std::string all;
  for (const auto& line : lines_)
    all += line + '\n';
  return all;
}

} // namespace novacron::test
