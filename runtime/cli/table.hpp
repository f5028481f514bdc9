#pragma once

#include <string>
#include <vector>

namespace novacron {

using table_row = std::vector<std::string>;

/// Lines up `rows` under `header`, two blanks between columns; each line ends
/// with a newline. Widths count characters, not bytes.
std::string format_table(const table_row& header, const std::vector<table_row>& rows);

/// "name:  value" lines.
std::string format_pairs(const std::vector<std::pair<std::string, std::string>>& pairs);

/// As in "12.4 MiB".
std::string format_bytes(double bytes);

} // namespace novacron
