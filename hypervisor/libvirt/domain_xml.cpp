#include "hypervisor/libvirt/domain_xml.hpp"

#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/fencer.hpp"

#include <algorithm>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <sstream>

namespace novacron {

namespace {

using boost::property_tree::ptree;

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text)
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '\'':
      out += "&apos;";
      break;
    case '"':
      out += "&quot;";
      break;
    default:
      out += c;
    }
  return out;
}

std::string mark_of(const guest_spec& spec, const domain_metadata& metadata) {
  return to_string(guest_mark{metadata.host, spec.vm, metadata.epoch, metadata.ha});
}

std::string cpu_element(bool kvm) {
  if (kvm)
    return "<cpu mode='host-model'/>";
  return "<cpu mode='custom' match='exact' check='none'>"
         "<model fallback='forbid'>qemu64</model></cpu>";
}

/// Replaces the text of `path`'s element, which must be there.
bool replace(ptree& domain, const char* path, const std::string& text) {
  auto element = domain.get_child_optional(path);
  if (element)
    element->data() = text;
  return element.has_value();
}

bool replace_mark(ptree& domain, const std::string& mark) {
  auto commandline = domain.get_child_optional("qemu:commandline");
  if (!commandline)
    return false;
  for (auto& [name, element] : *commandline)
    if (name == "qemu:env" && element.get("<xmlattr>.name", "") == guest_mark_variable) {
      element.put("<xmlattr>.value", mark);
      return true;
    }
  return false;
}

/// The cards of the source's guest, which its memory knows of, in this host's bridges.
bool replace_bridges(ptree& domain, const std::vector<network_card>& cards) {
  auto devices = domain.get_child_optional("devices");
  size_t found = 0;
  if (devices)
    for (auto& [name, element] : *devices) {
      if (name != "interface")
        continue;
      auto card
          = std::ranges::find(cards, element.get("mac.<xmlattr>.address", ""), &network_card::mac);
      if (card == cards.end())
        return false;
      element.put("source.<xmlattr>.bridge", card->bridge);
      element.erase("target"); // the tap's name, which is chosen anew
      ++found;
    }
  return found == cards.size();
}

/// A serial console is written twice in libvirt's XML, as serial and as console.
bool replace_console(ptree& domain, const std::string& path) {
  auto devices = domain.get_child_optional("devices");
  bool found = false;
  if (devices)
    for (auto& [name, element] : *devices)
      if ((name == "serial" || name == "console") && element.get("<xmlattr>.type", "") == "file") {
        element.put("source.<xmlattr>.path", path);
        found = true;
      }
  return found;
}

void replace_metadata(ptree& domain, const domain_metadata& metadata) {
  std::istringstream in{to_xml(metadata)};
  ptree element;
  boost::property_tree::read_xml(in, element);
  domain.put_child("metadata", element);
}

failure bad_offer(const guest_spec& spec, const std::string& why) {
  return make_failure(hypervisor_errc::refused, "cannot prepare guest " + to_string(spec.vm)
                                                    + ": the source's description " + why
                                                    + "; abort this migration and try another");
}

} // namespace

std::string domain_name(vm_id vm) {
  return "novacron-" + to_string(vm);
}

std::string domain_xml(const guest_spec& spec, const domain_metadata& metadata,
                       const machine_type& machine) {
  std::string x;
  x += std::string{"<domain type='"} + (machine.kvm ? "kvm" : "qemu")
       + "' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n";
  x += "  <name>" + domain_name(spec.vm) + "</name>\n";
  x += "  <uuid>" + to_string(spec.vm) + "</uuid>\n";
  if (!spec.name.empty())
    x += "  <title>" + escaped(spec.name) + "</title>\n";
  x += "  <metadata>" + to_xml(metadata) + "</metadata>\n";
  x += "  <memory unit='MiB'>" + std::to_string(spec.memory_mib) + "</memory>\n";
  x += "  <vcpu>" + std::to_string(spec.vcpus) + "</vcpu>\n";
  x += "  <os>\n    <type arch='x86_64' machine='" + escaped(machine.machine) + "'>hvm</type>\n";
  x += "    <kernel>" + escaped(spec.kernel.native()) + "</kernel>\n";
  x += "    <initrd>" + escaped(spec.initrd.native()) + "</initrd>\n";
  x += "    <cmdline>" + escaped(spec.kernel_arguments) + "</cmdline>\n  </os>\n";
  x += "  <features><acpi/><apic/></features>\n  " + cpu_element(machine.kvm) + "\n";
  x += "  <clock offset='utc'/>\n  <on_poweroff>destroy</on_poweroff>\n"
       "  <on_reboot>restart</on_reboot>\n  <on_crash>destroy</on_crash>\n";
  x += "  <devices>\n    <controller type='usb' model='none'/>\n    <memballoon model='none'/>\n";
  for (const auto& card : spec.cards)
    x += "    <interface type='bridge'><mac address='" + escaped(card.mac) + "'/><source bridge='"
         + escaped(card.bridge) + "'/><model type='virtio'/><rom enabled='no'/></interface>\n";
  // Without append='on' an incoming QEMU would truncate a log that both ends share.
  x += "    <serial type='file'><source path='" + escaped(spec.console_log.native())
       + "' append='on'/><target port='0'/></serial>\n  </devices>\n";
  x += std::string{"  <qemu:commandline>\n    <qemu:env name='"} + guest_mark_variable + "' value='"
       + escaped(mark_of(spec, metadata)) + "'/>\n  </qemu:commandline>\n</domain>\n";
  return x;
}

result<std::string> destination_xml(const std::string& offered, const guest_spec& spec,
                                    const domain_metadata& metadata) {
  ptree document;
  try {
    std::istringstream in{offered};
    boost::property_tree::read_xml(in, document);
  } catch (const boost::property_tree::xml_parser_error& error) {
    return bad_offer(spec, "is not XML (" + error.message() + ")");
  }
  auto domain = document.get_child_optional("domain");
  if (!domain || domain->get("uuid", "") != to_string(spec.vm))
    return bad_offer(spec, "is of another guest");
  if (!replace(*domain, "os.kernel", spec.kernel.native())
      || !replace(*domain, "os.initrd", spec.initrd.native()))
    return bad_offer(spec, "names no kernel");
  if (!replace_console(*domain, spec.console_log.native()))
    return bad_offer(spec, "has no console in a file");
  if (!replace_bridges(*domain, spec.cards))
    return bad_offer(spec, "has other network cards than the vm");
  if (!replace_mark(*domain, mark_of(spec, metadata)))
    return bad_offer(spec, "lacks the mark by which the fencer finds guests");
  replace_metadata(*domain, metadata);
  std::ostringstream out;
  boost::property_tree::write_xml(out, document);
  return out.str();
}

std::string probe_xml(const uuid& id, const machine_type& machine) {
  return std::string{"<domain type='"} + (machine.kvm ? "kvm" : "qemu") + "'><name>novacron-probe-"
         + to_string(id) + "</name><uuid>" + to_string(id)
         + "</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='"
         + escaped(machine.machine) + "'>hvm</type></os><features><acpi/></features>"
         + cpu_element(machine.kvm)
         + "<devices><controller type='usb' model='none'/>"
           "<memballoon model='none'/></devices></domain>";
}

} // namespace novacron
