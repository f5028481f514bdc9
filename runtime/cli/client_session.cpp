#include "runtime/cli/client_session.hpp"

#include "messages/uuid.hpp"
#include "runtime/cli/render_placement.hpp"

#include <boost/json/serialize.hpp>
#include <fstream>
#include <ostream>
#include <thread>

namespace novacron {

namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr int change_attempts = 5;
constexpr auto attempt_pause = 500ms;
constexpr auto poll_interval = 200ms;
constexpr auto line_interval = 1s;

/// The first word of the file. The token itself is never written anywhere.
result<std::string> read_token(const std::string& file) {
  std::ifstream in{file};
  std::string token;
  if (file.empty() || !(in >> token))
    return failure{
        std::make_error_code(std::errc::no_such_file_or_directory),
        (file.empty() ? std::string{"no token was named"} : "cannot read a token from " + file)
            + "\nname a readable file with --token-file or NOVACRON_TOKEN_FILE"};
  return token;
}

gateway_client client_of(const client_options& options, const terminal& where) {
  auto token = read_token(options.token_file);
  auto client = token ? gateway_client::make(options.url, *token) : token.error();
  if (client)
    return *client;
  where.err << "novacron: " << client.error().message << '\n';
  throw command_ended{exit_status::unreachable};
}

bool ended(const json::value& operation) {
  return field_text(operation, "state") != "running";
}

bool over(const json::value& migration) {
  auto phase = field_text(migration, "phase");
  return phase == "done" || phase == "rolled_back";
}

} // namespace

client_session::client_session(const client_options& options, const terminal& where)
    : options_{options}, where_{where}, client_{client_of(options, where)} {
  // nop
}

void client_session::fail(exit_status status, const std::string& text) {
  end_line();
  where_.err << "novacron: " << text << (text.ends_with('\n') ? "" : "\n");
  throw command_ended{status};
}

json::value client_session::good(const result<client_reply>& reply) {
  if (!reply)
    fail(exit_status::unreachable, reply.error().message);
  if (!reply->ok())
    fail(exit_status::refused, render_problem(reply->status, reply->body));
  return reply->body;
}

json::value client_session::read(const std::string& path) {
  return good(client_.ask({.method = "GET", .path = path, .body = {}, .idempotency_key = {}}));
}

json::value client_session::look(const std::string& path, clock::time_point deadline) {
  for (;;) {
    auto reply = client_.ask({.method = "GET", .path = path, .body = {}, .idempotency_key = {}});
    const bool away = !reply || reply->status == 503;
    if (!away || clock::now() > deadline)
      return good(reply);
    draw("the gateway doesn't answer; what was asked for goes on");
    std::this_thread::sleep_for(poll_interval);
  }
}

json::value client_session::change(const std::string& method, const std::string& path,
                                   const std::string& body) {
  client_request request{method, path, body, to_string(random_uuid())};
  for (int attempt = 1;; ++attempt) {
    auto reply = client_.ask(request);
    bool unknown = !reply || reply->status == 503;
    if (!unknown || attempt == change_attempts)
      return good(reply);
    std::this_thread::sleep_for(attempt_pause);
  }
}

void client_session::follow(const std::string& path,
                            const std::function<bool(const json::value&)>& each) {
  good(client_.follow(path, each));
}

std::string client_session::vm_id_of(const std::string& name_or_id) {
  if (parse_uuid(name_or_id))
    return name_or_id;
  bool plain
      = !name_or_id.empty()
        && name_or_id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == name_or_id.npos;
  auto found = plain ? list("/api/v1/vms?name=" + name_or_id) : json::array{};
  if (found.empty())
    fail(exit_status::refused,
         "there is no VM " + name_or_id + "\nlist the VMs with: novacron vm ls");
  return field_text(found.front(), "id");
}

json::array client_session::list(const std::string& path) {
  json::array items;
  std::string cursor;
  do {
    auto page = read(path + (path.find('?') == path.npos ? '?' : '&') + "limit=1000"
                     + (cursor.empty() ? "" : "&cursor=" + cursor));
    if (auto* some = field(page, "items").if_array())
      items.insert(items.end(), some->begin(), some->end());
    cursor = field_text(page, "next_cursor");
  } while (!cursor.empty());
  return items;
}

json::value client_session::wait_for(const json::value& operation, std::chrono::seconds limit) {
  auto id = field_text(operation, "id");
  auto migration = field_text(operation, "migration");
  auto deadline = clock::now() + limit;
  auto now = operation;
  while (!ended(now)) {
    if (clock::now() > deadline)
      fail(exit_status::refused, "the operation still runs after " + std::to_string(limit.count())
                                     + " s\nlook again with: novacron operation show " + id);
    if (!migration.empty())
      draw(render_progress(look("/api/v1/migrations/" + migration, deadline)));
    std::this_thread::sleep_for(poll_interval);
    now = look("/api/v1/operations/" + id, deadline);
  }
  end_line();
  if (field_text(now, "state") == "failed")
    fail(exit_status::refused, field_text(now, "verb") + " failed: " + field_text(now, "error")
                                   + "\nread the VM with: novacron vm show "
                                   + field_text(now, "vm"));
  return now;
}

json::value client_session::watch(const std::string& migration, std::chrono::seconds limit) {
  auto deadline = clock::now() + limit;
  for (;;) {
    auto now = look("/api/v1/migrations/" + migration, deadline);
    if (over(now)) {
      end_line();
      return now;
    }
    if (clock::now() > deadline)
      fail(exit_status::refused, "the migration still runs after " + std::to_string(limit.count())
                                     + " s\nwatch it again, or raise --timeout");
    draw(render_progress(now));
    std::this_thread::sleep_for(poll_interval);
  }
}

json::value client_session::await_task(const std::string& id, std::chrono::seconds limit) {
  auto deadline = clock::now() + limit;
  for (;;) {
    auto now = look("/api/v1/tasks/" + id, deadline);
    if (ended(now)) {
      end_line();
      return now;
    }
    if (clock::now() > deadline)
      fail(exit_status::refused, "the task still runs after " + std::to_string(limit.count())
                                     + " s, and goes on\nlook again with: novacron task show "
                                     + id);
    draw(render_task_progress(now));
    std::this_thread::sleep_for(poll_interval);
  }
}

json::value client_session::await_node(const std::string& id, std::chrono::seconds limit) {
  const auto deadline = clock::now() + limit;
  for (;;) {
    const auto page = look("/api/v1/nodes", deadline);
    json::value node;
    if (const auto* items = field(page, "items").if_array())
      for (const auto& each : *items)
        if (field_text(each, "id") == id)
          node = each;
    if (field_text(node, "settled") == "true") {
      end_line();
      return node;
    }
    const auto changing = field_text(page, "changing");
    if (clock::now() > deadline)
      fail(exit_status::refused,
           "it is not so yet after " + std::to_string(limit.count())
               + " s: " + render_node_progress(node, changing)
               + "\nthe cluster goes on with it; look again with: novacron node ls");
    draw(render_node_progress(node, changing));
    std::this_thread::sleep_for(poll_interval);
  }
}

/// On a terminal the line is written over; elsewhere there is one per second.
void client_session::draw(const std::string& line) {
  auto now = clock::now();
  if (!where_.redraws) {
    if (line != drawn_ && now - drawn_at_ >= line_interval) {
      where_.err << line << std::endl;
      drawn_ = line;
      drawn_at_ = now;
    }
    return;
  }
  where_.err << '\r' << line;
  if (line.size() < drawn_.size())
    where_.err << std::string(drawn_.size() - line.size(), ' ');
  where_.err << std::flush;
  drawn_ = line;
}

void client_session::end_line() {
  if (where_.redraws && !drawn_.empty())
    where_.err << '\n';
  drawn_.clear();
}

void client_session::show_list(listed_thing what, const json::array& items) {
  if (json())
    where_.out << json::serialize(items) << '\n';
  else
    where_.out << render_list(what, items);
}

void client_session::show_one(const json::value& document) {
  if (json())
    where_.out << json::serialize(document) << '\n';
  else
    where_.out << render_one(document);
}

} // namespace novacron
