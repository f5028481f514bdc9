#include "runtime/telemetry/json_log.hpp"

#include "messages/names.hpp"
#include "runtime/errors.hpp"

#include <array>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>
#include <chrono>
#include <ctime>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <thread>

namespace novacron {

namespace {

constexpr size_t queued_lines = 8'192;
constexpr size_t max_text_bytes = 4'096; ///< of a message or a field's value
constexpr size_t kept_files = 3;         ///< full ones, beside the one that is written
constexpr std::chrono::milliseconds flush_limit{1'000};

void append_text(std::string& line, std::string_view text) {
  line += boost::json::serialize(boost::json::string_view{text.substr(0, max_text_bytes)});
}

void append_pair(std::string& line, std::string_view name, std::string_view value) {
  line += ',';
  append_text(line, name);
  line += ':';
  append_text(line, value);
}

std::string now_text() {
  using namespace std::chrono;
  const auto now = time_point_cast<milliseconds>(system_clock::now());
  const auto seconds = system_clock::to_time_t(now);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const auto rest = std::to_string(1'000 + now.time_since_epoch().count() % 1'000);
  return std::string{text.data(), size} + '.' + rest.substr(1) + 'Z';
}

log_level level_named(const std::string& name) {
  for (auto level : {log_level::debug, log_level::warning, log_level::error})
    if (to_string(level) == name)
      return level;
  return log_level::info;
}

class queued_json_log : public json_log {
public:
  queued_json_log(const std::string& node, log_level least, spdlog::sink_ptr sink)
      : node_{node}, least_{least}, sink_{std::move(sink)},
        pool_{std::make_shared<spdlog::details::thread_pool>(queued_lines, 1)},
        lines_{std::make_shared<spdlog::async_logger>(
            "novacron", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)} {
    lines_->set_pattern("%v");
    lines_->flush_on(spdlog::level::trace);
  }

  void write(log_level level, std::string_view module, std::string_view message,
             std::span<const log_field> fields) override {
    if (level < least_)
      return;
    if (const auto lost = pool_->overrun_counter(); lost > told_.exchange(lost))
      put(log_level::warning, "telemetry", "lines were dropped: the log's disk is too slow", {});
    put(level, module, message, fields);
  }

  void flush() override {
    const auto deadline = std::chrono::steady_clock::now() + flush_limit;
    while (pool_->queue_size() > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    sink_->flush();
  }

private:
  void put(log_level level, std::string_view module, std::string_view message,
           std::span<const log_field> fields) {
    std::string line = "{\"time\":";
    append_text(line, now_text());
    append_pair(line, "level", to_string(level));
    append_pair(line, "node", node_);
    append_pair(line, "module", module);
    append_pair(line, "message", message);
    for (const auto& field : fields)
      append_pair(line, field.name, field.value);
    line += '}';
    lines_->log(spdlog::level::info, spdlog::string_view_t{line});
  }

  std::string node_;
  log_level least_;
  spdlog::sink_ptr sink_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> lines_;
  std::atomic<size_t> told_{0}; ///< dropped lines that were spoken of
};

} // namespace

result<std::shared_ptr<json_log>> open_json_log(const log_section& section,
                                                const std::string& name) {
  try {
    spdlog::sink_ptr sink;
    if (section.file.empty())
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else
      sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(section.file.string(),
                                                                    section.file_bytes, kept_files);
    return std::shared_ptr<json_log>{
        std::make_shared<queued_json_log>(name, level_named(section.level), std::move(sink))};
  } catch (const spdlog::spdlog_ex& error) {
    return make_failure(runtime_errc::folder, "cannot write the log " + section.file.string() + ": "
                                                  + error.what() + "; choose another log.file");
  }
}

} // namespace novacron
