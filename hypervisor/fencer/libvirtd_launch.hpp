#pragma once

#include "hypervisor/fencer/libvirtd_layout.hpp"
#include "messages/result.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace novacron {

/// Whom libvirtd runs as.
struct unix_account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups; ///< also the supplementary ones, as /dev/kvm's
};

/// Session mode: the configured user, or the caller himself when he isn't root.
/// System mode: root. Fails with `not_supported` when the machine lacks a user
/// or the caller lacks the right.
result<unix_account> find_account(const fencer_config& config);

/// Forks and executes libvirtd: see libvirtd_process::start.
result<int> launch_libvirtd(const fencer_config& config, const libvirtd_layout& layout,
                            const unix_account& account);

} // namespace novacron
