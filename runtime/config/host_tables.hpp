#pragma once

#include "runtime/config/node_config.hpp"
#include "runtime/config/table_reader.hpp"

namespace novacron {

// The tables below [host] whose keys are names that operators choose. A null `table`
// is an empty one. What is wrong goes to `reading`.

/// [host.images.<name>]
void read_images(config_reading& reading, const toml::table* table, host_section& section);
/// [host.networks.<name>]
void read_networks(config_reading& reading, const toml::table* table, host_section& section);
/// [host.labels]
void read_labels(config_reading& reading, const toml::table* table, host_section& section);

} // namespace novacron
