#include "runtime/cli/vm_options.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>

namespace novacron {

namespace {

namespace json = boost::json;

json::object labels_of(client_session& session, const std::string& option,
                       const std::vector<std::string>& labels) {
  json::object out;
  for (const auto& label : labels) {
    auto equals = label.find('=');
    if (equals == label.npos)
      session.fail(exit_status::unreachable,
                   option + ' ' + label + " has no value\nwrite it as " + option + " team=blue");
    out[label.substr(0, equals)] = label.substr(equals + 1);
  }
  return out;
}

json::array words_of(const std::vector<std::string>& words) {
  json::array out;
  for (const auto& word : words)
    out.emplace_back(word);
  return out;
}

/// `{"required": …, "preferred": …}` without what is empty.
template <class Part>
json::object rule_of(Part required, Part preferred) {
  json::object out;
  if (!required.empty())
    out["required"] = std::move(required);
  if (!preferred.empty())
    out["preferred"] = std::move(preferred);
  return out;
}

void set_unless_empty(json::object& out, const char* key, json::object part) {
  if (!part.empty())
    out[key] = std::move(part);
}

} // namespace

void add_vm_options(CLI::App& command, vm_options& options) {
  command.add_option("--vcpus", options.vcpus)->capture_default_str();
  command.add_option("--memory", options.memory_mib, "In MiB")->capture_default_str();
  command.add_option("--kernel-arguments", options.kernel_arguments, "For the guest's kernel");
  command.add_option("--restart", options.restart, "never, on_failure or always")
      ->capture_default_str();
  command.add_option("--network", options.networks,
                     "It has a card in this network of its host; may be repeated");
  command.add_option("--label", options.labels, "The VM's own, as in team=blue; may be repeated");
  command.add_option("--host-label", options.required_labels,
                     "Its host must have this label, as in disk=ssd; may be repeated");
  command.add_option("--prefer-host-label", options.preferred_labels, "Its host should have it");
  command.add_option("--group", options.groups, "It belongs to this group; may be repeated");
  command.add_option("--with", options.required_affinity,
                     "It must be beside a VM of this group; may be repeated");
  command.add_option("--prefer-with", options.preferred_affinity, "It should be beside one");
  command.add_option("--apart-from", options.required_anti_affinity,
                     "It must not be beside a VM of this group; may be repeated");
  command.add_option("--prefer-apart-from", options.preferred_anti_affinity,
                     "It should not be beside one");
}

json::object body_of(client_session& session, const vm_options& options) {
  json::object body{{"vcpus", options.vcpus},
                    {"memory_mib", options.memory_mib},
                    {"image", options.image},
                    {"kernel_arguments", options.kernel_arguments},
                    {"restart", options.restart}};
  body["labels"] = labels_of(session, "--label", options.labels);
  if (!options.networks.empty())
    body["networks"] = words_of(options.networks);
  json::object placement;
  if (!options.groups.empty())
    placement["groups"] = words_of(options.groups);
  set_unless_empty(placement, "labels",
                   rule_of(labels_of(session, "--host-label", options.required_labels),
                           labels_of(session, "--prefer-host-label", options.preferred_labels)));
  set_unless_empty(
      placement, "affinity",
      rule_of(words_of(options.required_affinity), words_of(options.preferred_affinity)));
  set_unless_empty(
      placement, "anti_affinity",
      rule_of(words_of(options.required_anti_affinity), words_of(options.preferred_anti_affinity)));
  set_unless_empty(body, "placement", std::move(placement));
  return body;
}

} // namespace novacron
