#include "runtime/cli/render_actors.hpp"

#include "runtime/cli/render.hpp"
#include "runtime/cli/table.hpp"

#include <map>
#include <vector>

namespace novacron {

namespace {

namespace json = boost::json;

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

/// 4312 as "4,312".
std::string with_commas(const json::value& object, std::string_view key) {
  const auto digits = std::to_string(static_cast<uint64_t>(field_number(object, key)));
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0)
      text += ',';
    text += digits[i];
  }
  return text;
}

/// The largest two units: "3m 12s".
std::string duration_text(double seconds) {
  auto rest = static_cast<uint64_t>(seconds);
  auto pair = [](uint64_t large, const char* unit, uint64_t small, const char* smaller) {
    return std::to_string(large) + unit + ' ' + std::to_string(small) + smaller;
  };
  if (rest >= 86'400)
    return pair(rest / 86'400, "d", rest % 86'400 / 3'600, "h");
  if (rest >= 3'600)
    return pair(rest / 3'600, "h", rest % 3'600 / 60, "m");
  if (rest >= 60)
    return pair(rest / 60, "m", rest % 60, "s");
  return std::to_string(rest) + 's';
}

/// One node's lines, by the path of whom they stand below.
class tree {
public:
  explicit tree(const json::value& node) {
    if (const auto* actors = field(node, "actors").if_array())
      for (const auto& actor : *actors) {
        const auto path = field_text(actor, "path");
        below_[path.substr(0, path.rfind('/'))].push_back({path, actor_row(actor, path)});
      }
    if (const auto* more = field(node, "more").if_array())
      for (const auto& group : *more)
        below_[field_text(group, "path")].push_back({{}, group_row(group)});
  }

  void write(const std::string& path, const std::string& indent, std::vector<table_row>& rows) {
    const auto& lines = below_[path];
    for (size_t i = 0; i < lines.size(); ++i) {
      const bool last = i + 1 == lines.size();
      rows.push_back(lines[i].row);
      rows.back().front().insert(0, indent + (last ? "└─ " : "├─ "));
      if (!lines[i].path.empty())
        write(lines[i].path, indent + (last ? "   " : "│  "), rows);
    }
  }

private:
  struct line {
    std::string path; ///< empty: nobody stands below it
    table_row row;
  };

  static table_row actor_row(const json::value& actor, const std::string& path) {
    const bool runs = field_text(actor, "state") == "running";
    return {path.substr(path.rfind('/') + 1),
            field_text(actor, "state"),
            field_text(actor, "restarts"),
            or_dash(field_text(actor, "mailbox")),
            runs ? duration_text(field_number(actor, "up_seconds")) : "-",
            or_dash(field_text(actor, "last_failure"))};
  }

  static table_row group_row(const json::value& group) {
    const auto others = field_number(group, "count") - field_number(group, "running");
    return {with_commas(group, "count") + " more " + field_text(group, "kind") + " actors",
            with_commas(group, "running") + " running"
                + (others > 0 ? ", " + std::to_string(static_cast<uint64_t>(others)) + " not" : ""),
            with_commas(group, "restarts"),
            with_commas(group, "mailbox"),
            "-",
            "-"};
  }

  std::map<std::string, std::vector<line>> below_;
};

} // namespace

std::string render_actors(const json::value& answer, const std::string& under) {
  std::vector<table_row> rows;
  if (const auto* nodes = field(answer, "nodes").if_array())
    for (const auto& node : *nodes) {
      const auto top = under.find('/') == under.npos ? field_text(node, "name") : under;
      if (field_text(node, "reachable") == "true") {
        rows.push_back({top});
        tree{node}.write(top, {}, rows);
      } else {
        rows.push_back({top, "unreachable", "-", "-", "-", field_text(node, "error")});
      }
    }
  auto text = format_table({"ACTOR", "STATE", "RESTARTS", "MAILBOX", "UP", "LAST FAILURE"}, rows);
  if (field_number(answer, "left_out") > 0)
    text += with_commas(answer, "left_out")
            + " more nodes were not asked; name one: novacron actors <node>\n";
  return text;
}

} // namespace novacron
