#include "hypervisor/libvirt/domain_metadata.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

const domain_metadata sample{
    node_id{{1, 2}}, vm_id{{3, 4}}, {5, 18'446'744'073'709'551'615u}, true, boot_id{{6, 7}}};

} // namespace

TEST_CASE("a domain's metadata is read as it was written, with and without the prefix") {
  CHECK(parse_metadata(to_xml(sample)) == sample);
  CHECK(parse_metadata(to_bare_xml(sample)) == sample);
}

TEST_CASE("metadata that lacks something or is not ours is refused as a whole") {
  auto xml = to_xml(sample);
  for (const char* name : {"host=", "vm=", "epoch=", "ha=", "boot="}) {
    auto broken = xml;
    broken.replace(broken.find(name), 1, "x");
    CHECK(!parse_metadata(broken).has_value());
  }
  CHECK(!parse_metadata("").has_value());
  CHECK(!parse_metadata("<guest").has_value());
  CHECK(!parse_metadata("<other host='a'/>").has_value());
  CHECK(!parse_metadata("<guest/>").has_value());
}

TEST_CASE("an epoch is two numbers with a point between") {
  CHECK((parse_epoch("3.14") == epoch{3, 14}));
  for (const char* bad : {"", ".", "3", "3.", ".3", "3.x", "3.1 ", "-1.2", "4294967296.1"})
    CHECK(!parse_epoch(bad).has_value());
}
