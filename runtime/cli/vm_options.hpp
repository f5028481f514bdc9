#pragma once

#include "runtime/cli/client_session.hpp"

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace novacron {

/// What a VM is to be, as options say it.
struct vm_options {
  uint64_t vcpus = 1;
  uint64_t memory_mib = 256;
  std::string image;
  std::string kernel_arguments;
  std::string restart = "never";
  std::vector<std::string> networks;
  std::vector<std::string> labels; ///< "key=value"
  std::vector<std::string> groups;
  std::vector<std::string> required_labels;
  std::vector<std::string> preferred_labels;
  std::vector<std::string> required_affinity;
  std::vector<std::string> preferred_affinity;
  std::vector<std::string> required_anti_affinity;
  std::vector<std::string> preferred_anti_affinity;
};

/// The options of `command` that fill `options`, but the image's, which a plan of
/// a VM that exists doesn't need.
void add_vm_options(CLI::App& command, vm_options& options);

/// The body of a create or a plan, without a name. Ends the command where an
/// option isn't what it should be.
boost::json::object body_of(client_session& session, const vm_options& options);

} // namespace novacron
