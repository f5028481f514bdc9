#include "actors/peer/mesh_versions.hpp"

namespace novacron {

std::string version_objection(uint32_t theirs, uint32_t ours) {
  if (theirs + uint64_t{1} >= ours)
    return {};
  return "it speaks version " + std::to_string(theirs) + " of the mesh, and this node "
         + std::to_string(ours) + ", which goes along with " + std::to_string(ours - 1)
         + " and later: upgrade it, one version at a time";
}

std::vector<std::string> mesh_names(cluster_id cluster, uint32_t ours) {
  auto name
      = [&](uint32_t x) { return "novacron-" + std::to_string(x) + '-' + to_string(cluster); };
  std::vector<std::string> names{name(ours)};
  if (ours > 1)
    names.push_back(name(ours - 1));
  return names;
}

} // namespace novacron
