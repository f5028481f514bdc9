#pragma once

#include <CLI/App.hpp>
#include <filesystem>

namespace novacron {

/// `novacron demo`. `program` is this executable; `status` becomes the exit status.
void add_demo_command(CLI::App& app, const std::filesystem::path& program, int& status);

} // namespace novacron
