#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace novacron {

/// Adds `backup ls | verify | restore` to `app`: what is done with a folder of backups on
/// the machine that has it, whether the cluster lives or not. Parsing sets `chosen` when
/// one of them was asked for: call it then, once; it returns the exit status (0 done, 1
/// a backup is damaged, 2 it could not be done).
void add_backup_commands(CLI::App& app, std::function<int()>& chosen);

} // namespace novacron
