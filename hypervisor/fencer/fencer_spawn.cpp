#include "hypervisor/fencer/fencer_spawn.hpp"

#include "hypervisor/fencer/fencer_arguments.hpp"
#include "hypervisor/fencer/libvirtd_layout.hpp"
#include "hypervisor/fencer/outliving_process.hpp"
#include "hypervisor/fencer/state_folder.hpp"

#include <fstream>

namespace novacron {

result<pid_handle> spawn_fencer(const fencer_config& config, const std::filesystem::path& program) {
  auto layout = lay_out_libvirtd(config);
  auto absolute = config;
  absolute.state = layout.state;
  auto arguments = fencer_arguments(absolute);
  arguments.insert(arguments.begin(), std::filesystem::absolute(program).native());
  if (auto claimed = claim_state_folder(layout.state); !claimed)
    return claimed.error();
  return start_outliving(std::move(arguments), layout.state / "fencer.log");
}

std::string last_fencer_line(const std::filesystem::path& state) {
  std::ifstream log{state / "fencer.log"};
  std::string line;
  std::string last = "it said nothing in " + (state / "fencer.log").native();
  while (std::getline(log, line))
    last = line;
  return last;
}

} // namespace novacron
