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

TEST_CASE("a QEMU that loses stores without KVM may not migrate guests, and says what to install") {
  const machine_type tcg{false, "pc-q35-7.2"};
  auto why = problem_of_qemu(tcg, 8'002'009);
  CHECK(why.find("QEMU 8.2.9 without KVM loses stores") != std::string::npos);
  CHECK(why.find("install QEMU 9.0.0 or later") != std::string::npos);
  CHECK(!problem_of_qemu(tcg, 7'002'022).empty());
}

TEST_CASE("KVM, and a QEMU that sends every store, may migrate guests") {
  CHECK(problem_of_qemu({false, "pc-q35-9.0"}, 9'000'000).empty());
  CHECK(problem_of_qemu({false, "pc-q35-10.0"}, 10'000'002).empty());
  CHECK(problem_of_qemu({true, "pc-q35-7.2"}, 7'002'022).empty());
}

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

TEST_CASE("KVM needs a processor that can run guests, whatever /dev/kvm says") {
  const std::string before = "processor\t: 0\nmodel name\t: of vmx and svm\nflags\t\t: fpu sse ";
  const std::string after = "\nbugs\t\t: svm_none\n\nprocessor\t: 1\n";
  CHECK(processor_virtualises(before + "vmx aes" + after));
  CHECK(processor_virtualises(before + "svm" + after));
  CHECK_FALSE(processor_virtualises(before + "vmx_ept aes" + after));
  CHECK_FALSE(processor_virtualises(before + after));
  CHECK_FALSE(processor_virtualises(""));
}
