#include "storage/local/new_timeline.hpp"

#include "storage/errors.hpp"
#include "storage/local/member_address.hpp"
#include "storage/log/database.hpp"
#include "storage/log/fields.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/log_store.hpp"
#include "storage/log/promise.hpp"
#include "storage/log/state_store.hpp"

#include <algorithm>
#include <future>
#include <rocksdb/write_batch.h>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = std::chrono::minutes{5};

/// The database of a folder, and what its log and state hold.
struct opened_folder {
  std::unique_ptr<database> db;
  stored_log log;
  cluster_state state;
  applied_mark mark;
  uint64_t disk = 0;
  bool founder = false;
};

failure nothing_there(const replica_config& config) {
  return make_failure(storage_errc::damaged, "storage: there is no state in "
                                                 + config.folder.string()
                                                 + "; name the folder of a node that had it");
}

result<opened_folder> open(const replica_config& config) {
  if (!std::filesystem::exists(config.folder / "CURRENT"))
    return nothing_there(config);
  opened_folder out;
  auto db = database::open(config.folder, {config.cluster, config.node, 0, config.group});
  if (!db)
    return db.error();
  out.db = std::move(*db);
  auto mark = state_store{*out.db}.load(out.state);
  if (!mark)
    return mark.error();
  out.mark = *mark;
  auto log = log_store{*out.db}.load(mark->index);
  if (!log)
    return log.error();
  out.log = std::move(*log);
  const auto known = out.db->meta("disk");
  field_reader disk{known};
  out.disk = disk.number<uint64_t>();
  out.founder = disk.number<uint8_t>() != 0;
  if (!disk.good() || out.disk == 0 || out.log.empty())
    return nothing_there(config);
  return out;
}

/// The newest membership in the log or before it.
membership members_in(const stored_log& log) {
  membership members;
  if (log.compacted)
    decode_membership(log.compacted->configuration, members);
  for (const auto& entry : log.entries)
    if (entry.kind == entry_kind::configuration && entry.data)
      decode_membership(*entry.data, members);
  return members;
}

folder_outlook outlook_of(const opened_folder& folder) {
  folder_outlook out;
  out.timeline = folder.db->timeline();
  out.last_index = folder.log.last();
  out.applied_index = folder.mark.index;
  out.applied_time = folder.mark.now;
  for (const auto& each : members_in(folder.log))
    if (auto address = parse_member_address(each.address);
        address && each.role == member_role::voter) {
      const auto* node = folder.state.find_node(address->node);
      out.voters.push_back({address->node, node ? node->name : std::string{}});
    }
  return out;
}

membership only_self(const replica_config& config, const opened_folder& folder) {
  const auto id = folder.founder ? founder_id(config.node) : joined_id(config.node, folder.disk);
  return {{id, to_string(member_address{config.node, folder.disk}), member_role::voter}};
}

/// A higher term, in which the group consists of this replica.
void become_the_only_voter(const replica_config& config, opened_folder& folder) {
  const auto promised = promise_file::read(config.folder).value_or(promise_file::promise{});
  const auto term = std::max(folder.log.term, promised.term) + 1;
  const log_entry entry{
      term, entry_kind::configuration,
      std::make_shared<const log_entry::bytes>(encode_membership(only_self(config, folder)))};
  const log_store store{*folder.db};
  rocksdb::WriteBatch batch;
  folder.db->put_timeline(batch, folder.db->timeline() + 1);
  store.put_vote(batch, term, 0);
  store.append(batch, folder.log.last() + 1, {&entry, 1});
  // Nobody has heard of it; the replica that settles it syncs what lies behind.
  folder.db->write(batch, database::durability::buffered);
}

/// Commits and applies all that is in the log, then `first`.
result<void> settle(const replica_config& config, command first) {
  auto alone = config;
  alone.timeline = 0;
  alone.transport = nullptr;
  auto engine = replica::open(alone);
  if (!engine)
    return engine.error();
  auto answer = std::make_shared<std::promise<command_outcome>>();
  auto outcome = answer->get_future();
  (*engine)->propose({std::move(first)}, [answer](const std::vector<command_outcome>& each) {
    answer->set_value(each.at(0));
  });
  if (outcome.wait_for(patience) != std::future_status::ready)
    return make_failure(storage_errc::stopped, "storage: the log in " + config.folder.string()
                                                   + " was not applied in five minutes; try again");
  if (const auto became = outcome.get(); !became.ok())
    return make_failure(storage_errc::refused, "storage: " + became.detail);
  return {};
}

/// The log begins anew, far behind its end. So do the records' revisions: whoever followed
/// the lost group may hold what was lost, under a later revision than the survivor's.
void jump(const replica_config& config, opened_folder& folder) {
  compaction_point point;
  point.index = (folder.log.last() / revision_jump + 1) * revision_jump;
  point.term = folder.log.term;
  point.configuration_index = point.index;
  point.configuration = encode_membership(only_self(config, folder));
  auto mark = folder.mark;
  mark.index = point.index;
  const state_store state{*folder.db};
  rocksdb::WriteBatch batch;
  log_store{*folder.db}.wipe(batch, point);
  state.restamp(batch, folder.state, point.index);
  state.forget_changes(batch, point.index);
  state.put_mark(batch, mark);
  folder.db->write(batch, database::durability::synced);
  folder.db->promise({point.index, point.term});
}

} // namespace

result<folder_outlook> look_into(const replica_config& config) {
  auto folder = open(config);
  if (!folder)
    return folder.error();
  return outlook_of(*folder);
}

result<folder_outlook> begin_new_timeline(const replica_config& config, command then) {
  {
    auto folder = open(config);
    if (!folder)
      return folder.error();
    become_the_only_voter(config, *folder);
  }
  if (auto settled = settle(config, std::move(then)); !settled)
    return settled.error();
  auto folder = open(config);
  if (!folder)
    return folder.error();
  jump(config, *folder);
  folder->db.reset();
  folder = open(config);
  if (!folder)
    return folder.error();
  return outlook_of(*folder);
}

} // namespace novacron
