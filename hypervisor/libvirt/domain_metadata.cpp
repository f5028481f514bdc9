#include "hypervisor/libvirt/domain_metadata.hpp"

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <charconv>
#include <sstream>

namespace novacron {

namespace {

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

template <class Id>
bool read_id(const boost::property_tree::ptree& attributes, const char* name, Id& out) {
  auto value = parse_uuid(attributes.get<std::string>(name, ""));
  if (value)
    out.value = *value;
  return value.has_value();
}

std::string attributes_of(const domain_metadata& x) {
  return " host='" + to_string(x.host) + "' vm='" + to_string(x.vm) + "' epoch='"
         + to_string(x.epoch) + "' ha='" + (x.ha ? "yes" : "no") + "' boot='" + to_string(x.boot)
         + "'";
}

} // namespace

std::optional<epoch> parse_epoch(std::string_view text) {
  auto dot = text.find('.');
  epoch x;
  if (dot == std::string_view::npos || !parse_number(text.substr(0, dot), x.timeline)
      || !parse_number(text.substr(dot + 1), x.number))
    return std::nullopt;
  return x;
}

std::string to_xml(const domain_metadata& x) {
  std::string prefix = metadata_prefix;
  return "<" + prefix + ":guest xmlns:" + prefix + "='" + metadata_namespace + "'"
         + attributes_of(x) + "/>";
}

std::string to_bare_xml(const domain_metadata& x) {
  return "<guest" + attributes_of(x) + "/>";
}

std::optional<domain_metadata> parse_metadata(std::string_view element) {
  boost::property_tree::ptree tree;
  try {
    std::istringstream in{std::string{element}};
    boost::property_tree::read_xml(in, tree);
  } catch (const boost::property_tree::xml_parser_error&) {
    return std::nullopt;
  }
  if (tree.size() != 1)
    return std::nullopt;
  const auto& [name, guest] = tree.front();
  if (name != "guest" && name != std::string{metadata_prefix} + ":guest")
    return std::nullopt;
  auto attributes = guest.get_child_optional("<xmlattr>");
  if (!attributes)
    return std::nullopt;
  domain_metadata x;
  auto number = parse_epoch(attributes->get<std::string>("epoch", ""));
  auto ha = attributes->get<std::string>("ha", "");
  if (!read_id(*attributes, "host", x.host) || !read_id(*attributes, "vm", x.vm)
      || !read_id(*attributes, "boot", x.boot) || !number || (ha != "yes" && ha != "no"))
    return std::nullopt;
  x.epoch = *number;
  x.ha = ha == "yes";
  return x;
}

} // namespace novacron
