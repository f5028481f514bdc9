#include "runtime/backup/backup_commands.hpp"

#include "actors/view/record_json.hpp"
#include "runtime/certificates/own_certificate.hpp"
#include "runtime/cli/table.hpp"
#include "runtime/node/own_replica.hpp"
#include "runtime/node/state_lock.hpp"
#include "storage/backup/backup_reader.hpp"
#include "storage/backup/restored_replica.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>

namespace novacron {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr int damaged = 1;
constexpr int refused = 2;

struct backup_options {
  fs::path from;
  std::string output = "table";
  uint32_t number = 0; ///< 0: the newest, or with `verify` all
  fs::path file;       ///< of the node that is restored
  config_overrides overrides;
  bool sure = false;
};

int fail(const std::string& why, int status = refused) {
  std::fprintf(stderr, "novacron backup: %s\n", why.c_str());
  return status;
}

std::string when(const backup_info& backup) {
  return to_rfc3339(log_time{std::chrono::milliseconds{backup.made_at.time_since_epoch()}});
}

void print_json(const std::vector<backup_info>& all) {
  json::array items;
  for (const auto& each : all)
    items.push_back({{"number", each.number},
                     {"made_at", when(each)},
                     {"cluster", to_string(each.cluster)},
                     {"node", to_string(each.node)},
                     {"timeline", each.timeline},
                     {"revision", each.revision},
                     {"bytes", each.bytes}});
  std::printf("%s\n", json::serialize(items).c_str());
}

void print_table(const std::vector<backup_info>& all) {
  std::vector<table_row> rows;
  for (const auto& each : all)
    rows.push_back({std::to_string(each.number), when(each), std::to_string(each.timeline),
                    std::to_string(each.revision), format_bytes(static_cast<double>(each.bytes)),
                    to_string(each.node)});
  std::printf(
      "%s", format_table({"NUMBER", "MADE", "TIMELINE", "REVISION", "SIZE", "NODE"}, rows).c_str());
}

int list(const backup_options& options) {
  auto reader = backup_reader::open(options.from);
  if (!reader)
    return fail(reader.error().message);
  const auto all = (*reader)->list();
  if (options.output == "json")
    print_json(all);
  else
    print_table(all);
  return 0;
}

int verify(const backup_options& options) {
  auto reader = backup_reader::open(options.from);
  if (!reader)
    return fail(reader.error().message);
  auto all = (*reader)->list();
  if (options.number != 0)
    std::erase_if(all, [&](const auto& each) { return each.number != options.number; });
  if (all.empty())
    return fail("there is no such backup in " + options.from.string()
                + "; novacron backup ls shows those that there are");
  int status = 0;
  for (const auto& each : all) {
    auto sound = (*reader)->verify(each.number);
    if (sound)
      std::printf("backup %u of %s is sound\n", each.number, when(each).c_str());
    else
      status = fail(sound.error().message, damaged);
  }
  return status;
}

/// The node that is to have the state, as its file and certificate say.
result<node_config> node_of(const backup_options& options) {
  auto config = load_config(options.file, options.overrides);
  if (!config)
    return config;
  auto identity = check_own_certificate(*config);
  if (!identity)
    return identity.error();
  config->id = identity->node;
  auto cluster = read_cluster_id(config->cluster_file);
  if (!cluster)
    return cluster.error();
  config->cluster = *cluster;
  return config;
}

int restore(const backup_options& options) {
  auto config = node_of(options);
  if (!config)
    return fail(config.error().message);
  if (!config->has(node_role::controller))
    return fail("node " + config->name + " is no controller; name the file of one that is");
  auto lock = lock_node_folder(config->state);
  if (!lock)
    return fail(lock.error().message);
  auto reader = backup_reader::open(options.from);
  if (!reader)
    return fail(reader.error().message);
  const auto all = (*reader)->list();
  if (all.empty())
    return fail("there is no backup in " + options.from.string()
                + "; name the folder of one node's backups");
  const auto number = options.number != 0 ? options.number : all.back().number;
  if (!options.sure) {
    for (const auto& each : all)
      if (each.number == number)
        std::fprintf(stderr,
                     "This makes node %s the only voter, with the state of %s (backup %u, revision "
                     "%llu).\nWhatever was acknowledged after that is lost. Stop all controllers "
                     "first, and never start them\nagain with their old disks. No guest is placed "
                     "or started until each host has reported or was fenced.\n",
                     config->name.c_str(), when(each).c_str(), number,
                     static_cast<unsigned long long>(each.revision));
    return fail("nothing was done; to do it, say --yes-go-back");
  }
  replica_config replica;
  replica.folder = replica_folder(config->state);
  replica.node = config->id;
  replica.cluster = config->cluster;
  auto outlook = restore_replica(**reader, number, replica, {recover_cluster{config->id}, {}});
  if (!outlook)
    return fail(outlook.error().message);
  if (auto noted = remember_beginning(config->state); !noted)
    return fail(noted.error().message);
  std::printf("node %s has the state of backup %u and is the only voter, in timeline %u; start it, "
              "then let controllers join\n",
              config->name.c_str(), number, outlook->timeline);
  return 0;
}

} // namespace

void add_backup_commands(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<backup_options>();
  auto* group = app.add_subcommand("backup", "Backups of the cluster's state");
  group->require_subcommand(1);
  auto add = [&](const char* name, const char* what, int (*run)(const backup_options&)) {
    auto* command = group->add_subcommand(name, what);
    command->add_option("--from", options->from, "the folder of one node's backups")->required();
    command->callback(
        [options, run, &chosen] { chosen = [options, run] { return run(*options); }; });
    return command;
  };
  add("ls", "List them", list)
      ->add_option("-o,--output", options->output, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  add("verify", "Compare their files with their checksums", verify)
      ->add_option("--number", options->number, "which one; otherwise all");
  auto* back = add("restore", "Make one the state of a stopped node, in a new timeline", restore);
  back->add_option("--number", options->number, "which one; otherwise the newest");
  back->add_option("--config", options->file, "that node's file")->required();
  back->add_option("--folder", options->overrides.folder,
                   "where relative paths start; otherwise at the file's folder");
  back->add_option("--set", options->overrides.settings,
                   "section.key=value; overrules the file; repeatable")
      ->expected(1)
      ->take_all();
  back->add_flag("--yes-go-back", options->sure, "do it; without, only say what would be lost");
}

} // namespace novacron
