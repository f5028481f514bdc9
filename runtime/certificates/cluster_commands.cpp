#include "runtime/certificates/cluster_commands.hpp"

#include "runtime/certificates/certificate_end.hpp"
#include "runtime/certificates/cluster_init.hpp"
#include "runtime/certificates/renewal.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace novacron {

namespace {

constexpr int refused = 2;

struct cluster_options {
  std::string folder;
  std::vector<std::string> nodes;
  std::string renewed;
  bool development = false;
};

int fail(const failure& why) {
  std::fprintf(stderr, "novacron cluster: %s\n", why.message.c_str());
  return refused;
}

int init(const cluster_options& options) {
  auto nodes = options.development ? development_nodes() : std::vector<planned_node>{};
  for (const auto& text : options.nodes) {
    auto node = parse_planned_node(text);
    if (!node)
      return fail(node.error());
    nodes.push_back(std::move(*node));
  }
  if (auto made = init_cluster(options.folder, nodes); !made)
    return fail(made.error());
  std::printf("made a cluster of %zu nodes in %s\n"
              "  ca.key       signs new nodes: keep it away from them\n"
              "  admin-token  the API's first token\n",
              nodes.size(), options.folder.c_str());
  return 0;
}

int add_node(const cluster_options& options) {
  auto node = parse_planned_node(options.nodes.front());
  if (!node)
    return fail(node.error());
  if (auto made = add_cluster_node(options.folder, *node); !made)
    return fail(made.error());
  std::printf("made %s.pem and %s.key in %s\n", node->name.c_str(), node->name.c_str(),
              options.folder.c_str());
  return 0;
}

int renew(const cluster_options& options) {
  const auto& name = options.renewed;
  auto pair = renew_node_certificate(options.folder, name);
  if (!pair)
    return fail(pair.error());
  std::printf("renewed %s, node %s, until %s: %s.pem and %s.key in %s\n"
              "  bring both to the node, if it has a folder of its own, and restart it;\n"
              "  the pair of before stands beside them as .old\n",
              name.c_str(), to_string(pair->node).c_str(), to_date(pair->end).c_str(), name.c_str(),
              name.c_str(), options.folder.c_str());
  return 0;
}

int renew_ca(const cluster_options& options) {
  const auto end = renew_authority(options.folder);
  if (!end)
    return fail(end.error());
  std::printf(
      "renewed the CA's certificate until %s: ca.pem in %s\n"
      "  bring it to each node that has a folder of its own, and restart one after the other;\n"
      "  the certificate of before stands beside it as .old\n",
      to_date(*end).c_str(), options.folder.c_str());
  return 0;
}

} // namespace

void add_cluster_commands(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<cluster_options>();
  auto* cluster = app.add_subcommand("cluster", "Make a cluster's keys and certificates");
  cluster->require_subcommand(1);
  auto* first = cluster->add_subcommand("init", "A CA, a certificate per node, an admin token");
  first->add_option("--folder", options->folder, "where to; must be empty or absent")->required();
  auto* nodes = first->add_option("--node", options->nodes,
                                  "name=NAME,roles=ROLE+ROLE[,address=IP]; once for each node");
  auto* development
      = first->add_flag("--dev", options->development, "the nodes of cluster-configs/dev");
  first->callback([options, nodes, development, &chosen] {
    if (nodes->count() + development->count() == 0)
      throw CLI::RequiredError{"--node or --dev"};
    chosen = [options] { return init(*options); };
  });
  auto* more = cluster->add_subcommand("add-node", "A certificate for one more node");
  more->add_option("--folder", options->folder, "with ca.pem and ca.key")->required();
  more->add_option("--node", options->nodes, "name=NAME,roles=ROLE+ROLE[,address=IP]")
      ->required()
      ->expected(1);
  more->callback([options, &chosen] { chosen = [options] { return add_node(*options); }; });
  auto* again = cluster->add_subcommand("renew", "A new key and certificate for a node");
  again->add_option("node", options->renewed, "the node's name")->required();
  again->add_option("--folder", options->folder, "with ca.pem, ca.key and the node's certificate")
      ->required();
  again->callback([options, &chosen] { chosen = [options] { return renew(*options); }; });
  auto* own = cluster->add_subcommand("renew-ca", "A new certificate for the CA, with its key");
  own->add_option("--folder", options->folder, "with ca.pem and ca.key")->required();
  own->callback([options, &chosen] { chosen = [options] { return renew_ca(*options); }; });
}

} // namespace novacron
