#pragma once

#include <string>
#include <vector>

namespace novacron {

/// What guests that run on this machine's CPU may come to rely on: the vendor and
/// the flags of its first processor, from the text of /proc/cpuinfo, sorted. Empty
/// if the text says nothing of them.
///
/// It asks for more than it must: QEMU's host-model leaves out flags that libvirt
/// doesn't know, and a guest may never use one. So a migration is refused rather
/// than a guest surprised.
std::vector<std::string> cpu_features_of(const std::string& cpuinfo);

} // namespace novacron
