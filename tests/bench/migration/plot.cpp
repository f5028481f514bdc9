#include "tests/bench/figures.hpp"
#include "tests/bench/migration/matrix.hpp"
#include "tests/bench/migration/medians.hpp"
#include "tests/bench/migration/tables.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <iterator>

namespace novacron::bench {

namespace {

constexpr double bar_height = 14;
constexpr double group_gap = 14;
constexpr double left = 190;
constexpr double width = 560; ///< of the longest bar
constexpr double top = 40;

std::string shown(double value, int digits = 1) {
  return number(boost::json::value(value), digits);
}

constexpr const char* shades[]
    = {"#b8b8b8", "#8f9fae", "#6f8396", "#a8977a", "#d0b8a0", "#b09a86", "#1f6fb2"};

std::string text(double x, double y, const std::string& anchor, const std::string& what) {
  return "<text x=\"" + shown(x) + "\" y=\"" + shown(y) + "\" text-anchor=\"" + anchor + "\">"
         + what + "</text>\n";
}

std::string box(double x, double y, double across, double down, const std::string& fill) {
  return "<rect x=\"" + shown(x) + "\" y=\"" + shown(y) + "\" width=\"" + shown(across)
         + "\" height=\"" + shown(down) + "\" fill=\"" + fill + "\"/>\n";
}

std::string shade_of(const std::string& method) {
  for (size_t i = 0; i < methods().size(); ++i)
    if (methods()[i].name == method)
      return shades[std::min(i, std::size(shades) - 1)];
  return shades[0];
}

} // namespace

std::string migration_plot(const boost::json::object& all, const std::string& link) {
  auto cells = measured_cells(all, "pipeline");
  std::erase_if(cells, [&](const auto& x) { return x.link != link; });
  if (cells.empty())
    return {};
  double longest = 0;
  for (const auto& x : cells)
    longest = std::max(longest, x.median("seconds").value_or(0));
  std::string out;
  double y = top;
  std::string group;
  for (const auto& x : cells) {
    if (x.workload != group && !group.empty())
      y += group_gap;
    group = x.workload;
    const auto seconds = x.median("seconds").value_or(0);
    const auto length = width * seconds / longest;
    const auto middle = y + bar_height - 4;
    out += text(left - 6, middle, "end", x.workload + ", " + x.method);
    out += box(left, y, length, bar_height - 2, shade_of(x.method));
    out += text(left + length + 4, middle, "start",
                x.converged() ? shown(seconds, 2) + " s" : "not converged");
    if (const auto floor = x.median("floor_seconds"))
      out += box(left + width * *floor / longest - 1, y - 1, 2, bar_height, "#c0392b");
    y += bar_height;
  }
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + shown(left + width + 100)
         + "\" height=\"" + shown(y + 20) + "\" font-family=\"sans-serif\" font-size=\"11\">\n"
         + box(0, 0, left + width + 100, y + 20, "white")
         + text(left, 22, "start",
                link + ": seconds from the command until the guest runs there; red: the floor")
         + out + "</svg>\n";
}

} // namespace novacron::bench
