#include "hypervisor/libvirt/accelerator.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

/// What is chosen, as in "kvm pc-q35-7.2", and how often a KVM guest was tried.
struct choice {
  std::string machine;
  int tries = 0;
};

choice choose(const std::string& kvm, const std::string& tcg, bool prefer_kvm, bool works) {
  choice x;
  auto chosen = choose_machine(kvm, tcg, prefer_kvm, [&] {
    ++x.tries;
    return works;
  });
  if (chosen)
    x.machine = (chosen->kvm ? "kvm " : "tcg ") + chosen->machine;
  return x;
}

} // namespace

TEST_CASE("KVM is used when a KVM guest really ran") {
  const auto x = choose("new", "old", true, true);
  CHECK(x.machine == "kvm new");
  CHECK(x.tries == 1);
}

TEST_CASE("KVM that is offered but doesn't run a guest is not used") {
  const auto x = choose("new", "old", true, false);
  CHECK(x.machine == "tcg old");
  CHECK(x.tries == 1);
  CHECK(choose("new", "", true, false).machine.empty());
}

TEST_CASE("no KVM guest is tried where KVM isn't offered, or isn't wanted") {
  CHECK(choose("", "old", true, true).machine == "tcg old");
  CHECK(choose("", "old", true, true).tries == 0);
  CHECK(choose("new", "old", false, true).machine == "tcg old");
  CHECK(choose("new", "old", false, true).tries == 0);
}
