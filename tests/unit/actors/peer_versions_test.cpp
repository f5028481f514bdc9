#include "actors/peer/mesh_versions.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;

namespace {

const cluster_id cluster{{1, 2}};

/// CAF's rule: two nodes meet if they have a name in common.
bool meet(uint32_t one, uint32_t other) {
  const auto others = mesh_names(cluster, other);
  return std::ranges::any_of(mesh_names(cluster, one), [&](const std::string& name) {
    return std::ranges::find(others, name) != others.end();
  });
}

} // namespace

TEST_CASE("a node goes along with its own mesh version and the one before, whoever greets") {
  for (uint32_t ours = 1; ours <= 4; ++ours)
    for (uint32_t theirs = 1; theirs <= 4; ++theirs) {
      const bool both
          = version_objection(theirs, ours).empty() && version_objection(ours, theirs).empty();
      const bool near = std::max(ours, theirs) - std::min(ours, theirs) <= 1;
      CAPTURE(ours);
      CAPTURE(theirs);
      CHECK(both == near);
      CHECK(meet(ours, theirs) == near);
    }
}

TEST_CASE("a node that is too old is told both versions, and what to do") {
  const auto why = version_objection(2, 4);
  CHECK(why.find("version 2") != std::string::npos);
  CHECK(why.find("this node 4") != std::string::npos);
  CHECK(why.find("upgrade it") != std::string::npos);
}

TEST_CASE("clusters never meet, whatever their versions") {
  CHECK(mesh_names(cluster, 2) != mesh_names(cluster_id{{1, 3}}, 2));
}
