#include "runtime/node/cpu_features.hpp"

#include <doctest/doctest.h>

using namespace novacron;

TEST_CASE("a CPU's vendor and flags are taken from its first processor, sorted") {
  CHECK(cpu_features_of("processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: x flags y\n"
                        "flags\t\t: fpu avx2 aes\nvmx flags\t: vnmi\n\n"
                        "processor\t: 1\nflags\t\t: fpu avx512f\n")
        == std::vector<std::string>{"GenuineIntel", "aes", "avx2", "fpu"});
}

TEST_CASE("another architecture's text has flags, too, and none is no error") {
  CHECK(cpu_features_of("processor\t: 0\nFeatures\t: fp asimd\n")
        == std::vector<std::string>{"asimd", "fp"});
  CHECK(cpu_features_of("").empty());
}
