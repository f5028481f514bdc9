#pragma once

#include "hypervisor/hypervisor.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace novacron {

/// What a domain of ours says of itself: kept by libvirt with the domain, so
/// that a restarted agent knows its guests. A domain without it is not ours.
struct domain_metadata {
  node_id host;
  vm_id vm;
  novacron::epoch epoch;
  bool ha = false;
  boot_id boot; ///< of the host that created the domain

  friend bool operator==(const domain_metadata&, const domain_metadata&) = default;
};

/// The namespace of our metadata element, and the prefix it is written with.
inline constexpr const char* metadata_namespace = "https://novacron.dev/guest/1";
inline constexpr const char* metadata_prefix = "novacron";

/// The element, as in `<novacron:guest xmlns:novacron='…' host='…' …/>`.
std::string to_xml(const domain_metadata& x);
/// The same without prefix and namespace, which libvirt adds when metadata is
/// set at a living domain.
std::string to_bare_xml(const domain_metadata& x);

/// Reads the element alone, with or without the prefix, as libvirt returns it;
/// nothing when it isn't ours or a value is malformed.
std::optional<domain_metadata> parse_metadata(std::string_view element);

/// Reads "timeline.number".
std::optional<epoch> parse_epoch(std::string_view text);

} // namespace novacron
