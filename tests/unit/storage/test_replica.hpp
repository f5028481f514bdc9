#pragma once

#include "storage/errors.hpp"
#include "storage/replica.hpp"

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

namespace novacron {

/// A folder of a test's own, removed at its end.
class scratch_folder {
public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

/// A value that another thread sets once.
template <class T>
class awaited {
public:
  void set(T value) {
    std::lock_guard guard{mutex_};
    value_ = std::move(value);
    set_.notify_all();
  }

  /// Nothing after ten seconds.
  std::optional<T> get() {
    std::unique_lock lock{mutex_};
    set_.wait_for(lock, std::chrono::seconds{10}, [&] { return value_.has_value(); });
    return value_;
  }

private:
  std::mutex mutex_;
  std::condition_variable set_;
  std::optional<T> value_;
};

inline constexpr node_id test_node{{0xa, 1}};
inline constexpr boot_id test_boot{{0xb, 1}};

replica_config test_config(const std::filesystem::path& folder);

/// Opens it, or fails the test with the reason.
std::unique_ptr<replica> open_replica(const replica_config& config);

/// Proposes and waits for the outcomes.
std::vector<command_outcome> propose(replica& to, std::vector<command> commands);
command_outcome propose(replica& to, command_body body, idempotency asked = {});

/// The n-th host, VM, and the wish to make that VM on that host.
command register_test_host(uint64_t n);
node_id test_host(uint64_t n);
vm_id test_vm(uint64_t n);
command create_test_vm(uint64_t n, uint64_t host = 1, const std::string& key = {});

/// The whole listing, page by page; the revision of the first page.
std::pair<std::vector<any_record>, uint64_t> list_all(replica& of, node_id host = {},
                                                      uint32_t limit_bytes = 65536);

/// Does `done` hold within ten seconds?
bool eventually(const std::function<bool()>& done);

} // namespace novacron
