#pragma once

#include "messages/result.hpp"

#include <filesystem>
#include <sys/types.h>

namespace novacron {

/// Whom QEMU runs as: files that it must write have to be his.
struct file_owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// The owner of libvirtd's socket: in session mode libvirtd, and so QEMU, runs
/// under that user; in system mode it is root.
result<file_owner> owner_of_socket(const std::filesystem::path& libvirt_socket);

/// Makes the folder and those above it that are missing; new ones belong to
/// `owner`. Existing ones stay as they are.
result<void> make_folder_for(const std::filesystem::path& folder, file_owner owner);

/// Makes sure that the console's log is there and that QEMU may append to it.
/// What it holds already stays.
result<void> make_console_log(const std::filesystem::path& log, file_owner owner);

/// Makes the socket's folder and removes a socket that was left behind there.
/// Fails when the path is too long for a UNIX socket, or is something else.
result<void> clear_stream_socket(const std::filesystem::path& socket, file_owner owner);

/// Lets libvirtd connect to a socket on which we listen.
result<void> share_stream_socket(const std::filesystem::path& socket, file_owner owner);

} // namespace novacron
