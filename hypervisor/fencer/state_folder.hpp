#pragma once

#include "hypervisor/fencer/libvirtd_layout.hpp"
#include "messages/descriptor.hpp"
#include "messages/result.hpp"

namespace novacron {

/// Makes the state folder, or sees that it is ours: owned by the caller, closed
/// to other writers, passable for libvirtd's user. `refused` when it isn't.
result<void> claim_state_folder(const std::filesystem::path& state);

/// Gives a state folder with a long name its short one; nothing to do for
/// others. `refused` while a fencer of another state folder uses that name.
result<void> name_state_folder(const libvirtd_layout& layout);

/// The lock that a fencer holds as long as it lives, whatever it dies of.
/// `already_there` when another fencer has this folder.
result<descriptor> lock_state_folder(const std::filesystem::path& state);

/// The folder's control socket: a bound, listening one for the fencer (mode
/// 0600), a connected one for its client. The folder's path may have any length.
/// Packets (SOCK_SEQPACKET): one is one request or one answer.
result<descriptor> listen_in_folder(const std::filesystem::path& state);
result<descriptor> connect_in_folder(const std::filesystem::path& state);

} // namespace novacron
