#include "runtime/config/host_tables.hpp"

namespace novacron {

namespace {

constexpr size_t most_labels = 32;
constexpr size_t most_networks = 64;
constexpr size_t longest_interface_name = 15; // IFNAMSIZ
constexpr size_t most_label_name = 63;
constexpr size_t most_label = 256;

} // namespace

void read_images(config_reading& reading, const toml::table* table, host_section& section) {
  if (!table)
    return;
  table_reader images{reading, table, "host.images"};
  for (const auto& [key, value] : *table) {
    const std::string name{key.str()};
    table_reader image{reading, images.table(name), "host.images." + name};
    auto& files = section.images[name];
    image.read("kernel", files.kernel, needed("\"guest/vmlinuz\""));
    image.read("initrd", files.initrd, needed("\"guest/initrd.gz\""));
    image.finish();
  }
}

void read_networks(config_reading& reading, const toml::table* table, host_section& section) {
  if (!table)
    return;
  table_reader networks{reading, table, "host.networks"};
  for (const auto& [key, value] : *table) {
    const std::string name{key.str()};
    table_reader network{reading, networks.table(name), "host.networks." + name};
    auto& bridge = section.networks[name].bridge;
    network.read("bridge", bridge, needed("\"br0\""));
    if (bridge.size() > longest_interface_name || bridge.find('/') != bridge.npos)
      network.complain("bridge", "is no interface's name: at most 15 characters, without /");
    network.finish();
    if (name.empty() || name.size() > most_label_name)
      networks.complain(name, "is no network's name; use 1 to 63 characters");
  }
  if (section.networks.size() > most_networks)
    reading.complain(table, "host.networks has more than 64 networks; leave some out");
}

void read_labels(config_reading& reading, const toml::table* table, host_section& section) {
  if (!table)
    return;
  table_reader labels{reading, table, "host.labels"};
  for (const auto& [key, value] : *table) {
    const std::string name{key.str()};
    labels.read(name, section.labels[name], needed("\"ssd\""));
    if (name.empty() || name.size() > most_label_name || section.labels[name].size() > most_label)
      labels.complain(name, "is too long for a label; use at most 63 characters for its name, 256 "
                            "for its value");
  }
  labels.finish();
  if (section.labels.size() > most_labels)
    reading.complain(table, "host.labels has more than 32 labels; leave some out");
}

} // namespace novacron
