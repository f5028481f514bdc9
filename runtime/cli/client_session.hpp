#pragma once

#include "runtime/cli/gateway_client.hpp"
#include "runtime/cli/render.hpp"

#include <chrono>
#include <functional>
#include <iosfwd>
#include <string>

namespace novacron {

/// How a command of the client ended; the process's exit status.
enum class exit_status : int {
  done = 0,
  refused = 1,     ///< the gateway said no, or the operation failed
  unreachable = 2, ///< nothing could be asked: bad options, no gateway, no token
};

/// Where a command writes.
struct terminal {
  std::ostream& out;
  std::ostream& err;
  bool redraws = false; ///< a line can be written over
};

/// What every command of the client is told.
struct client_options {
  std::string url = "http://127.0.0.1:7180";
  std::string token_file;
  std::string output = "table"; ///< or "json"
};

/// Ends a command; what there is to say has been written.
struct command_ended {
  exit_status status = exit_status::refused;
};

/// One run of one command: asks the gateway, and writes the answers. Where it
/// can't go on it writes why, the last line saying what to do, and throws
/// `command_ended`.
class client_session {
public:
  client_session(const client_options& options, const terminal& where);

  boost::json::value read(const std::string& path);
  /// Asks for a change. Repeats it with the same Idempotency-Key while its
  /// outcome is unknown, up to five times.
  boost::json::value change(const std::string& method, const std::string& path,
                            const std::string& body = {});
  /// Follows the events; see `gateway_client::follow`.
  void follow(const std::string& path, const std::function<bool(const boost::json::value&)>& each);

  /// The id of the VM with this name or id.
  std::string vm_id_of(const std::string& name_or_id);
  /// All pages of a list.
  boost::json::array list(const std::string& path);

  /// Waits for the end of an operation, showing a migration's progress.
  /// Its failure is written and ends the command.
  boost::json::value wait_for(const boost::json::value& operation, std::chrono::seconds limit);
  /// Shows a migration's progress until it is over.
  boost::json::value watch(const std::string& migration, std::chrono::seconds limit);

  /// Waits for the end of a task, showing how far it is.
  boost::json::value await_task(const std::string& id, std::chrono::seconds limit);
  /// Waits until a node is what is wished of it, showing how far it is.
  boost::json::value await_node(const std::string& id, std::chrono::seconds limit);

  void show_list(listed_thing what, const boost::json::array& items);
  void show_one(const boost::json::value& document);

  [[nodiscard]] bool json() const { return options_.output == "json"; }
  [[nodiscard]] const terminal& where() const { return where_; }

  [[noreturn]] void fail(exit_status status, const std::string& text);

private:
  using clock = std::chrono::steady_clock;

  boost::json::value good(const result<client_reply>& reply);
  /// As `read`, of what is waited for: a gateway that is away for a while is asked again.
  boost::json::value look(const std::string& path, clock::time_point deadline);
  void draw(const std::string& line);
  void end_line();

  client_options options_;
  terminal where_;
  gateway_client client_;
  std::string drawn_; ///< the progress line that stands there
  clock::time_point drawn_at_;
};

} // namespace novacron
