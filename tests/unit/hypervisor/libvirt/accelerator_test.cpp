#include "hypervisor/libvirt/accelerator.hpp"

#include <doctest/doctest.h>

using namespace novacron;

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
