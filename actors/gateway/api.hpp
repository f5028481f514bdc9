#pragma once

#include "actors/gateway/actor_survey.hpp"
#include "actors/gateway/api_metrics.hpp"
#include "actors/gateway/gateway_config.hpp"
#include "actors/gateway/join_desk.hpp"
#include "actors/gateway/problem.hpp"
#include "actors/gateway/router.hpp"
#include "actors/gateway/tokens.hpp"
#include "actors/view/view_table.hpp"
#include "messages/peer.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace novacron {

struct join_body; // request_bodies.hpp

/// A request as the API sees it, whatever carried it.
struct api_request {
  listener door = listener::api;
  std::string method;
  std::string target;
  std::string body;
  std::string authorization; ///< the headers; empty: not sent
  std::optional<std::string> idempotency_key;
  std::optional<std::string> if_match;
  bool listens = true; ///< do connections to the API's port come to this gateway?
};

struct api_answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  shared_json body;
  std::vector<std::pair<std::string, std::string>> headers; ///< beside those of every answer
};

/// What was asked for.
api_answer json_answer(unsigned status, shared_json body,
                       std::vector<std::pair<std::string, std::string>> headers = {});
api_answer json_answer(unsigned status, std::string body,
                       std::vector<std::pair<std::string, std::string>> headers = {});

/// `problem+json`, with the headers that its status wants.
api_answer answer_of(const problem& x);

/// What the API does with a request: who asks, what for, is it well-formed; then
/// a read from the view, or a proposal to the log. Knows neither sockets nor
/// actors. Safe from any thread; owned by a shared_ptr.
class api : public std::enable_shared_from_this<api> {
public:
  using answer_function = std::function<void(api_answer)>;

  /// The way to the actors. Each calls back exactly once, from any thread.
  struct backend {
    /// Calls back with nothing when nobody said what became of it.
    std::function<void(proposal, std::function<void(std::optional<outcomes>)>)> propose;
    /// Empty: chaos isn't allowed.
    std::function<void(kill_actor, std::function<void(bool, std::string)>)> kill;
    /// How the replicas stand; nothing: nobody says, or with `linearizable` not
    /// the leader. Empty: this gateway doesn't ask.
    std::function<void(group_status_request, std::function<void(std::optional<group_status>)>)>
        status;
    /// Nothing: no node joins by this gateway.
    std::optional<join_desk> joins;
    /// The tree of actors of a node; std::errc::invalid_argument: it has no such
    /// supervisor; any other code: it can't be reached. Empty: this gateway doesn't ask.
    actor_survey::question look;
    node_id self; ///< this gateway's node
    uuid_source ids = random_uuid;
  };

  api(gateway_limits limits, token_table tokens, std::shared_ptr<view_table> view, backend way,
      std::shared_ptr<api_metrics> metrics);

  /// Calls `done` exactly once: at once, or from the thread that has the answer.
  void handle(const api_request& request, answer_function done) const;

  /// How long a request's body may be, by its head; or the answer, if no body would
  /// change it. So nobody without a token, or for no path, makes us read one.
  [[nodiscard]] std::variant<size_t, api_answer> body_limit(const api_request& head) const;

  /// A WebSocket wants the events: where in them it starts, or the answer that
  /// refuses it.
  [[nodiscard]] std::variant<uint64_t, api_answer> subscribe(const api_request& request) const;

  [[nodiscard]] const gateway_limits& limits() const { return limits_; }
  [[nodiscard]] api_metrics& metrics() const { return *metrics_; }

private:
  /// A request on its way to its answer.
  struct call {
    const api_request* request = nullptr; ///< only until `handle` returns
    match where;
    request_target target;
    std::string principal;
    answer_function done;
  };
  using answer_with_revision = std::function<api_answer()>;

  [[nodiscard]] parsed<call> admit(const api_request& request) const;
  /// A place among the requests without a token, given back with it; null: there is none.
  [[nodiscard]] std::shared_ptr<void> place_of_stranger() const;
  void dispatch(call& c) const;

  void read(call& c, std::initializer_list<std::string_view> parameters,
            answer_with_revision make) const;
  void read_at(uint64_t revision, const answer_with_revision& make, answer_function done) const;
  void read_cluster(call& c) const;
  void compare(call& c) const;
  void read_actors(call& c) const;
  [[nodiscard]] parsed<actor_tree_request> tree_asked_for(const call& c) const;
  void list_vms(call& c) const;
  void list_history(call& c) const;
  void list_plain(call& c) const;
  void read_one(call& c) const;
  void read_events(call& c) const;
  [[nodiscard]] parsed<uint64_t> event_start(const request_target& target) const;
  void ready(call& c) const;

  /// Asks how the replicas stand; answers by itself when nobody may ask.
  void with_group(const call& c,
                  std::function<void(const std::optional<group_status>&)> then) const;
  void list_nodes(call& c) const;
  void read_node(call& c) const;
  void change_node(call& c) const;
  void create_join_token(call& c) const;
  void join(call& c) const;
  void let_join(const join_body& asked, answer_function done) const;

  void create(call& c) const;
  void change_vm(call& c) const;
  void kill(call& c) const;
  void fence(call& c) const;

  void plan_vm(call& c) const;
  void plan_move(call& c) const;
  void maintain(call& c) const;
  void read_drain(call& c) const;
  void cancel(call& c) const;
  void cancel_migration(call& c) const;
  void rebalance(call& c) const;
  void answer_task(unsigned status, const command_outcome& outcome, answer_function done) const;

  struct host_change {
    node_id host;
    idempotency key;
  };

  [[nodiscard]] parsed<command_body> verb(const call& c) const;
  /// What changes begin with: no parameters but these, and a good key.
  [[nodiscard]] parsed<idempotency>
  begin_change(const call& c, const std::vector<std::string_view>& parameters = {}) const;
  /// The same of a change of the host in the path.
  [[nodiscard]] parsed<host_change> begin_host_change(const call& c) const;
  [[nodiscard]] parsed<idempotency> key_of(const call& c) const;
  /// A host by its name or its id; an id is left for the log to judge. `field` is what
  /// the problem names.
  [[nodiscard]] parsed<node_id> host_of(const std::string& name_or_id,
                                        const std::string& field) const;
  /// The same of any node.
  [[nodiscard]] parsed<node_id> node_of(const std::string& name_or_id,
                                        const std::string& field) const;
  [[nodiscard]] parsed<node_id> named(const std::string& name_or_id, std::string_view kind,
                                      std::optional<node_id> (view_table::*find)(std::string_view)
                                          const,
                                      const std::string& field) const;
  void propose(command asked, answer_function done,
               std::function<void(const command_outcome&)> accepted) const;
  void answer_operation(const operation_record& fallback, uint64_t revision,
                        std::chrono::milliseconds wait, answer_function done) const;

  gateway_limits limits_;
  token_table tokens_;
  std::shared_ptr<view_table> view_;
  backend way_;
  std::shared_ptr<api_metrics> metrics_;
  /// `?wait=` keeps a place for long; they may take half of all.
  std::shared_ptr<std::atomic<size_t>> waiting_ = std::make_shared<std::atomic<size_t>>(0);
  /// Who shows no token may take an eighth: /ready and /join ask the leader as well.
  std::shared_ptr<std::atomic<size_t>> strangers_ = std::make_shared<std::atomic<size_t>>(0);
};

} // namespace novacron
