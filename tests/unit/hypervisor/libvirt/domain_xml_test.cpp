#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/fencer.hpp"
#include "hypervisor/libvirt/domain_xml.hpp"

#include <boost/property_tree/xml_parser.hpp>
#include <doctest/doctest.h>
#include <sstream>

using namespace novacron;

namespace {

guest_spec sample_spec() {
  guest_spec spec;
  spec.vm = vm_id{{0x1111, 0x2222}};
  spec.name = "web <1> & 'co'";
  spec.epoch = {2, 9};
  spec.ha = true;
  spec.vcpus = 3;
  spec.memory_mib = 512;
  spec.kernel = "/images/a&b/vmlinuz";
  spec.initrd = "/images/initrd.gz";
  spec.kernel_arguments = "console=ttyS0 x='1' y=\"<2>\"";
  spec.console_log = "/logs/it's.log";
  return spec;
}

domain_metadata sample_metadata(const guest_spec& spec, node_id host) {
  return {host, spec.vm, spec.epoch, spec.ha, boot_id{{5, 6}}};
}

boost::property_tree::ptree parsed(const std::string& xml) {
  std::istringstream in{xml};
  boost::property_tree::ptree tree;
  boost::property_tree::read_xml(in, tree);
  return tree.get_child("domain");
}

const node_id source_host{{7, 8}};
const node_id destination_host{{9, 10}};

} // namespace

TEST_CASE("a domain says what its spec says, whatever characters are in it") {
  auto spec = sample_spec();
  auto xml = domain_xml(spec, sample_metadata(spec, source_host), {false, "pc-q35-7.2"});
  CHECK(xml.find("/images/a&amp;b/vmlinuz") != std::string::npos);
  auto domain = parsed(xml);
  CHECK(domain.get<std::string>("<xmlattr>.type") == "qemu");
  CHECK(domain.get<std::string>("name") == "novacron-" + to_string(spec.vm));
  CHECK(domain.get<std::string>("uuid") == to_string(spec.vm));
  CHECK(domain.get<std::string>("title") == spec.name);
  CHECK(domain.get<std::string>("memory") == "512");
  CHECK(domain.get<std::string>("vcpu") == "3");
  CHECK(domain.get<std::string>("os.kernel") == spec.kernel);
  CHECK(domain.get<std::string>("os.initrd") == spec.initrd);
  CHECK(domain.get<std::string>("os.cmdline") == spec.kernel_arguments);
  CHECK(domain.get<std::string>("os.type.<xmlattr>.machine") == "pc-q35-7.2");
  CHECK(domain.get<std::string>("devices.serial.source.<xmlattr>.path") == spec.console_log);
  CHECK(domain.get<std::string>("devices.serial.source.<xmlattr>.append") == "on");
  CHECK(domain.get<std::string>("devices.memballoon.<xmlattr>.model") == "none");
}

TEST_CASE("a domain carries the mark by which the fencer finds its process") {
  auto spec = sample_spec();
  auto domain = parsed(domain_xml(spec, sample_metadata(spec, source_host), {false, "q35"}));
  CHECK(domain.get<std::string>("qemu:commandline.qemu:env.<xmlattr>.name") == "NOVACRON_GUEST");
  auto mark
      = parse_guest_mark(domain.get<std::string>("qemu:commandline.qemu:env.<xmlattr>.value"));
  REQUIRE(mark.has_value());
  CHECK(mark->host == source_host);
  CHECK(mark->vm == spec.vm);
  CHECK(mark->epoch == spec.epoch);
  CHECK(mark->ha);
}

TEST_CASE("a destination's domain differs from the source's in paths, metadata and mark alone") {
  auto spec = sample_spec();
  auto offered = domain_xml(spec, sample_metadata(spec, source_host), {false, "pc-q35-7.2"});
  auto there = spec;
  there.epoch = spec.epoch.next();
  there.kernel = "/there/vmlinuz";
  there.initrd = "/there/initrd";
  there.console_log = "/there/console.log";
  auto metadata = sample_metadata(there, destination_host);
  auto made = destination_xml(offered, there, metadata);
  REQUIRE(made.has_value());
  auto domain = parsed(*made);
  CHECK(domain.get<std::string>("os.kernel") == "/there/vmlinuz");
  CHECK(domain.get<std::string>("os.initrd") == "/there/initrd");
  CHECK(domain.get<std::string>("devices.serial.source.<xmlattr>.path") == "/there/console.log");
  CHECK(domain.get<std::string>("devices.serial.source.<xmlattr>.append") == "on");
  auto mark
      = parse_guest_mark(domain.get<std::string>("qemu:commandline.qemu:env.<xmlattr>.value"));
  REQUIRE(mark.has_value());
  CHECK(mark->host == destination_host);
  CHECK(mark->epoch == there.epoch);
  std::ostringstream element;
  boost::property_tree::write_xml(element, domain.get_child("metadata"));
  CHECK(parse_metadata(element.str()) == metadata);
  // The rest is the source's own.
  CHECK(domain.get<std::string>("os.cmdline") == spec.kernel_arguments);
  CHECK(domain.get<std::string>("memory") == "512");
  CHECK(domain.get<std::string>("title") == spec.name);
}

TEST_CASE("a guest's cards arrive with their addresses, in the bridges of the host where it is") {
  auto spec = sample_spec();
  spec.cards = {{"52:00:00:00:00:01", "br0"}, {"52:00:00:00:00:02", "br'7"}};
  auto offered = domain_xml(spec, sample_metadata(spec, source_host), {false, "q35"});
  auto sent = parsed(offered);
  CHECK(sent.get<std::string>("devices.interface.mac.<xmlattr>.address") == "52:00:00:00:00:01");
  CHECK(sent.get<std::string>("devices.interface.source.<xmlattr>.bridge") == "br0");
  CHECK(offered.find("bridge='br&apos;7'") != std::string::npos);
  // As a running guest's description has it.
  const std::string before = "<source bridge='br0'/>";
  offered.replace(offered.find(before), before.size(), before + "<target dev='vnet3'/>");
  auto there = spec;
  there.cards = {{"52:00:00:00:00:01", "lan"}, {"52:00:00:00:00:02", "dmz"}};
  const auto metadata = sample_metadata(there, destination_host);
  auto made = destination_xml(offered, there, metadata);
  REQUIRE(made.has_value());
  std::vector<std::string> cards;
  const auto arrived = parsed(*made);
  for (const auto& [name, element] : arrived.get_child("devices"))
    if (name == "interface") {
      cards.push_back(element.get<std::string>("mac.<xmlattr>.address") + ' '
                      + element.get<std::string>("source.<xmlattr>.bridge"));
      CHECK(element.find("target") == element.not_found());
    }
  CHECK(cards == std::vector<std::string>{"52:00:00:00:00:01 lan", "52:00:00:00:00:02 dmz"});
  for (auto other :
       {std::vector<network_card>{{"52:00:00:00:00:01", "lan"}},
        std::vector<network_card>{{"52:00:00:00:00:01", "lan"},
                                  {"52:00:00:00:00:02", "dmz"},
                                  {"52:00:00:00:00:03", "lan"}},
        std::vector<network_card>{{"52:00:00:00:00:01", "lan"}, {"52:00:00:00:00:09", "dmz"}}}) {
    there.cards = other;
    const auto refused = destination_xml(offered, there, metadata);
    REQUIRE(!refused.has_value());
    CHECK(refused.error().message.find("other network cards") != std::string::npos);
  }
}

TEST_CASE("a description that lacks what must be replaced is refused") {
  auto spec = sample_spec();
  auto metadata = sample_metadata(spec, destination_host);
  auto offered = domain_xml(spec, metadata, {false, "q35"});
  auto without = [&](const std::string& from, const std::string& to) {
    auto xml = offered;
    for (size_t at = xml.find(from); at != std::string::npos; at = xml.find(from, at + to.size()))
      xml.replace(at, from.size(), to);
    return destination_xml(xml, spec, metadata);
  };
  for (const auto& made :
       {without("kernel>", "kernal>"), without("initrd>", "initrad>"), without("NOVACRON", "OTHER"),
        without("type='file'", "type='pty'"), without(to_string(spec.vm), to_string(source_host)),
        without("</domain>", ""), destination_xml("", spec, metadata)}) {
    bool refused = !made.has_value() && made.error().code == hypervisor_errc::refused;
    CHECK(refused);
  }
}
