#include "runtime/node/recover_command.hpp"

#include "actors/view/record_json.hpp"
#include "runtime/certificates/own_certificate.hpp"
#include "runtime/node/founding.hpp"
#include "runtime/node/state_lock.hpp"
#include "storage/local/new_timeline.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace novacron {

namespace {

constexpr int refused = 2;

struct recover_options {
  std::filesystem::path file;
  config_overrides overrides;
  bool sure = false;
};

int fail(const std::string& why) {
  std::fprintf(stderr, "novacron cluster recover: %s\n", why.c_str());
  return refused;
}

std::string names_of_others(const folder_outlook& outlook, node_id self) {
  std::string text;
  for (const auto& each : outlook.voters)
    if (each.node != self)
      text += (text.empty() ? "" : ", ") + (each.name.empty() ? to_string(each.node) : each.name);
  return text.empty() ? "none" : text;
}

/// What goes, and what may be lost.
void warn(const node_config& config, const folder_outlook& outlook) {
  std::fprintf(
      stderr,
      "This makes node %s the only voter, from what its disk holds.\n"
      "  its log ends at    %llu\n"
      "  known committed    up to %llu, of %s\n"
      "  other voters       %s\n"
      "Lost is whatever was acknowledged after that, and whatever was not acknowledged may come\n"
      "to be. The other controllers are removed for ever: their disks must never be started\n"
      "again, since two of them would go on with the old timeline. No guest is placed or started\n"
      "until each host has reported, or was fenced.\n",
      config.name.c_str(), static_cast<unsigned long long>(outlook.last_index),
      static_cast<unsigned long long>(outlook.applied_index),
      to_rfc3339(outlook.applied_time).c_str(), names_of_others(outlook, config.id).c_str());
}

int recover(const recover_options& options) {
  auto config = load_config(options.file, options.overrides);
  if (!config)
    return fail(config.error().message);
  auto identity = check_own_certificate(*config);
  if (!identity)
    return fail(identity.error().message);
  config->id = identity->node;
  auto cluster = read_cluster_id(config->cluster_file);
  if (!cluster)
    return fail(cluster.error().message);
  if (!config->has(node_role::controller))
    return fail("node " + config->name + " is no controller; name the file of one that is");
  auto lock = lock_node_folder(config->state);
  if (!lock)
    return fail(lock.error().message);
  replica_config replica;
  replica.folder = replica_folder(config->state);
  replica.node = config->id;
  replica.cluster = *cluster;
  auto before = look_into(replica);
  if (!before)
    return fail(before.error().message);
  warn(*config, *before);
  if (!options.sure)
    return fail("nothing was done; if the majority can't come back, say so with "
                "--yes-i-lost-the-majority");
  auto after = begin_new_timeline(replica, {recover_cluster{config->id}, {}});
  if (!after)
    return fail(after.error().message);
  std::printf("node %s is the only voter, in timeline %u; start it, then let controllers join\n",
              config->name.c_str(), after->timeline);
  return 0;
}

} // namespace

void add_recover_command(CLI::App& app, std::function<int()>& chosen) {
  auto there = app.get_subcommands([](CLI::App* x) { return x->get_name() == "cluster"; });
  auto* cluster = there.empty() ? app.add_subcommand("cluster", "The cluster") : there.front();
  auto options = std::make_shared<recover_options>();
  auto* command = cluster->add_subcommand(
      "recover", "Go on from one survivor, whose node is stopped, after the majority was lost");
  command->add_option("--config", options->file, "the survivor's file")->required();
  command->add_option("--folder", options->overrides.folder,
                      "where relative paths start; otherwise at the file's folder");
  command
      ->add_option("--set", options->overrides.settings,
                   "section.key=value; overrules the file; repeatable")
      ->expected(1)
      ->take_all();
  command->add_flag("--yes-i-lost-the-majority", options->sure,
                    "do it; without, only say what would be lost");
  command->callback([options, &chosen] { chosen = [options] { return recover(*options); }; });
}

} // namespace novacron
