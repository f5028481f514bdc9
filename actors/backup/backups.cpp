#include "actors/backup/backups.hpp"

#include "storage/backup/backup_reader.hpp"

#include <algorithm>
#include <caf/typed_response_promise.hpp>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 10s;
constexpr auto status_timeout = 5s;
constexpr auto backup_timeout = 30min; // a disk that takes longer than this has failed

using self_pointer = backups_actor::stateful_pointer<backups_state>;

/// Those in the folder; none when it can't be read, as before the first one.
std::vector<backup_info> read_folder(const std::filesystem::path& folder) {
  auto reader = backup_reader::open(folder);
  return reader ? (*reader)->list() : std::vector<backup_info>{};
}

backup_schedule schedule_of(const backups_config& config) {
  const auto all = read_folder(config.folder);
  return {config.every, all.empty() ? std::nullopt : std::optional{all.back().made_at}};
}

/// `then` gets the backup, or the reason why there is none.
template <class Then, class Otherwise>
void make(self_pointer self, Then then, Otherwise otherwise) {
  auto& state = self->state;
  const auto& config = state.config;
  state.making = true;
  self->request(state.replica, backup_timeout, back_up{config.folder, config.keep})
      .then(
          [self, then](const backup_info& made) mutable {
            auto& done = self->state;
            done.making = false;
            done.schedule->made(made.made_at);
            done.config.log.info("backup", "made",
                                 {{"number", std::to_string(made.number)},
                                  {"revision", std::to_string(made.revision)},
                                  {"bytes", std::to_string(made.bytes)}});
            then(made);
          },
          [self, otherwise](const caf::error& why) mutable {
            auto& done = self->state;
            done.making = false;
            done.schedule->failed(done.config.now());
            done.config.log.error("backup", self->system().render(why));
            otherwise(why);
          });
}

bool leads_others(const group_status& status) {
  return status.by_leader()
         && std::ranges::count_if(status.members, [](const auto& x) { return x.voter; }) > 1;
}

void make_if_due(self_pointer self) {
  auto& state = self->state;
  if (state.making || !state.schedule->due(state.config.now(), false))
    return;
  state.making = true;
  self->request(state.replica, status_timeout, group_status_request{false})
      .then(
          [self](const group_status& status) {
            self->state.making = false;
            if (self->state.schedule->due(self->state.config.now(), leads_others(status)))
              make(
                  self, [](const backup_info&) {}, [](const caf::error&) {});
          },
          [self](const caf::error&) { self->state.making = false; }); // the next tick asks again
}

caf::result<backup_info> make_now(self_pointer self) {
  if (self->state.making)
    return caf::make_error(caf::sec::runtime_error,
                           "backup: one is being made; look for it in a moment");
  auto answer = self->make_response_promise<backup_info>();
  make(
      self, [answer](const backup_info& made) mutable { answer.deliver(made); },
      [answer](const caf::error& why) mutable { answer.deliver(why); });
  return answer;
}

} // namespace

backups_actor::behavior_type backups(self_pointer self, backups_config config,
                                     replica_actor replica) {
  auto& state = self->state;
  state.config = std::move(config);
  state.replica = std::move(replica);
  state.schedule = schedule_of(state.config);
  self->send(self, tick_atom::value);
  return {
      [self](back_up_atom) { return make_now(self); },
      [self](list_atom) { return read_folder(self->state.config.folder); },
      [self](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        make_if_due(self);
      },
  };
}

} // namespace novacron
