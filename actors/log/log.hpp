#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace novacron {

enum class log_level : uint8_t { debug, info, warning, error };
std::string to_string(log_level x);

/// An id that a line is about: {"vm", "9f1c…"}. Never a secret.
struct log_field {
  std::string_view name;
  std::string value;
};

/// Where lines go. Called from any thread; must neither block nor throw.
class log_sink {
public:
  virtual ~log_sink() = default;
  virtual void write(log_level level, std::string_view module, std::string_view message,
                     std::span<const log_field> fields)
      = 0;
};

/// A handle on the node's log: cheap to copy, passed to whoever has something to
/// say. A default one drops everything. Any thread.
///
///     log.info("migration", "committed", {{"migration", to_string(id)}});
///
/// `module` is the folder's name, `message` a sentence without ids: those are
/// fields, so that all lines about one VM can be found.
class logger {
public:
  using fields = std::initializer_list<log_field>;

  logger() = default;
  explicit logger(std::shared_ptr<log_sink> sink) : sink_{std::move(sink)} {
    // nop
  }

  void debug(std::string_view module, std::string_view message, fields about = {}) const {
    write(log_level::debug, module, message, about);
  }
  void info(std::string_view module, std::string_view message, fields about = {}) const {
    write(log_level::info, module, message, about);
  }
  void warning(std::string_view module, std::string_view message, fields about = {}) const {
    write(log_level::warning, module, message, about);
  }
  void error(std::string_view module, std::string_view message, fields about = {}) const {
    write(log_level::error, module, message, about);
  }

private:
  void write(log_level level, std::string_view module, std::string_view message,
             fields about) const {
    if (sink_)
      sink_->write(level, module, message, {about.begin(), about.size()});
  }

  std::shared_ptr<log_sink> sink_;
};

} // namespace novacron
