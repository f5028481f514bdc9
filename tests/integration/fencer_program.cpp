#include "hypervisor/fencer/fencer_arguments.hpp"

#include <cstdio>

/// A fencer and nothing else, as the novacron executable runs it.
int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  auto config = novacron::parse_fencer_arguments(arguments);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return 2;
  }
  return novacron::run_fencer(*config);
}
