#include "hypervisor/libvirt/accelerator.hpp"

#include "hypervisor/libvirt/complaint.hpp"

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace novacron {

namespace {

constexpr auto probe_limit = std::chrono::seconds{3};
constexpr auto probe_interval = std::chrono::milliseconds{20};
constexpr unsigned long first_coherent_tcg = 9'000'000;

/// The versioned machine that "q35" stands for; empty when QEMU can't be that.
std::string newest_machine(virConnect* connection, const char* type) {
  c_string text{virConnectGetDomainCapabilities(connection, nullptr, "x86_64", "q35", type, 0)};
  if (!text)
    return {};
  boost::property_tree::ptree tree;
  try {
    std::istringstream in{text.get()};
    boost::property_tree::read_xml(in, tree);
  } catch (const boost::property_tree::xml_parser_error&) {
    return {};
  }
  return tree.get("domainCapabilities.machine", "");
}

/// Whether the domain's processor has done something within the limit.
bool really_runs(virDomain* domain) {
  auto deadline = std::chrono::steady_clock::now() + probe_limit;
  while (std::chrono::steady_clock::now() < deadline) {
    virDomainInfo info{};
    if (virDomainGetInfo(domain, &info) != 0 || info.state != VIR_DOMAIN_RUNNING)
      return false;
    if (info.cpuTime > 200'000'000)
      return true;
    std::this_thread::sleep_for(probe_interval);
  }
  return false;
}

} // namespace

bool guest_runs(virConnect* connection, const machine_type& machine) {
  auto xml = probe_xml(random_uuid(), machine);
  domain_pointer domain{virDomainCreateXML(connection, xml.c_str(), VIR_DOMAIN_START_AUTODESTROY)};
  if (!domain)
    return false;
  bool runs = really_runs(domain.get());
  virDomainDestroy(domain.get());
  return runs;
}

bool processor_virtualises(std::string_view cpuinfo) {
  std::istringstream lines{std::string{cpuinfo}};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("flags")) {
      std::istringstream words{line};
      for (std::string word; words >> word;)
        if (word == "vmx" || word == "svm")
          return true;
      return false; // all processors of a machine are alike in that
    }
  return false;
}

std::optional<machine_type> choose_machine(const std::string& kvm, const std::string& tcg,
                                           bool prefer_kvm,
                                           const std::function<bool()>& kvm_works) {
  if (prefer_kvm && !kvm.empty() && kvm_works())
    return machine_type{true, kvm};
  if (!tcg.empty())
    return machine_type{false, tcg};
  return std::nullopt;
}

result<machine_type> choose_machine(virConnect* connection, bool prefer_kvm) {
  const auto kvm = prefer_kvm ? newest_machine(connection, "kvm") : std::string{};
  if (auto chosen = choose_machine(kvm, newest_machine(connection, "qemu"), prefer_kvm, [&] {
        std::ifstream file{"/proc/cpuinfo"};
        const std::string cpuinfo{std::istreambuf_iterator<char>{file}, {}};
        return processor_virtualises(cpuinfo) && guest_runs(connection, {true, kvm});
      }))
    return *chosen;
  return explain(connection, call_kind::reads,
                 "cannot use QEMU on this host: it offers no x86_64 q35 machine");
}

std::string version_text(unsigned long version) {
  return std::to_string(version / 1'000'000) + '.' + std::to_string(version / 1'000 % 1'000) + '.'
         + std::to_string(version % 1'000);
}

std::string problem_of_qemu(const machine_type& machine, unsigned long version) {
  if (machine.kvm || version >= first_coherent_tcg)
    return {};
  return "QEMU " + version_text(version)
         + " without KVM loses stores of a guest that is being migrated; install QEMU "
         + version_text(first_coherent_tcg) + " or later";
}

} // namespace novacron
