#include "runtime/demo/demo_command.hpp"

#include "runtime/demo/demo.hpp"

#include <CLI/CLI.hpp>

namespace novacron {

namespace {

/// CLI11 would take -5 for a very large number.
std::string whole_number(const std::string& text) {
  const bool whole = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return whole ? "" : '"' + text + "\" is no whole number";
}

} // namespace

void add_demo_command(CLI::App& app, const std::filesystem::path& program,
                      std::function<int()>& chosen) {
  auto options = std::make_shared<demo_options>();
  auto pause_ms = std::make_shared<int64_t>(0);
  options->program = program;
  auto* demo = app.add_subcommand("demo", "Three nodes, one guest, and what they go through");
  demo->add_option("--folder", options->folder, "everything is written there");
  demo->add_option("--port", options->port, "first of 91 TCP ports on 127.0.0.1")
      ->check(whole_number);
  demo->add_option("--guest-memory", options->guest_memory_mib, "MiB")
      ->capture_default_str()
      ->check(whole_number);
  demo->add_option("--guest-args", options->guest_arguments, "kernel arguments, before ours");
  demo->add_option("--guest-image", options->guest, "folder with vmlinuz and initrd.gz");
  demo->add_option("--configs", options->configs, "folder with node-1.toml to node-3.toml");
  demo->add_option("--driver", options->driver, "auto, libvirt or simulated")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, demo_driver>{{"auto", demo_driver::automatic},
                                             {"libvirt", demo_driver::libvirt},
                                             {"simulated", demo_driver::simulated}}));
  demo->add_option("--pause-guest", *pause_ms,
                   "ms; hold the guest still: beyond 1000 the demo must fail")
      ->check(whole_number);
  demo->add_flag("--keep", options->keep, "leave the cluster up until Ctrl-C");
  demo->callback([options, pause_ms, &chosen] {
    options->pause_guest = std::chrono::milliseconds{*pause_ms};
    chosen = [options] { return run_demo(*options); };
  });
}

} // namespace novacron
