#include "messages/durable_file.hpp"

#include "messages/descriptor.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>

namespace novacron {

namespace {

/// Opens it as `flags` say, and brings `content` to the disk; the name isn't there yet.
bool write_synced(const std::filesystem::path& file, int flags, std::string_view content,
                  mode_t mode) {
  descriptor out{::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode)};
  if (!out)
    return false;
  while (!content.empty()) {
    const auto n = ::write(out.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    content.remove_prefix(static_cast<size_t>(n));
  }
  return ::fsync(out.get()) == 0;
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  const auto folder = file.parent_path();
  return folder.empty() ? "." : folder;
}

} // namespace

bool make_durable_file(const std::filesystem::path& file, std::string_view content, mode_t mode) {
  if (write_synced(file, O_EXCL, content, mode)) {
    if (sync_folder(folder_of(file)))
      return true;
  } else if (errno == EEXIST) {
    return false;
  }
  const auto why = errno;
  ::unlink(file.c_str());
  errno = why;
  return false;
}

bool replace_durable_file(const std::filesystem::path& file, std::string_view content,
                          mode_t mode) {
  auto fresh = file;
  fresh += ".new";
  if (!write_synced(fresh, O_TRUNC, content, mode))
    return false;
  return std::rename(fresh.c_str(), file.c_str()) == 0 && sync_folder(folder_of(file));
}

bool sync_folder(const std::filesystem::path& folder) {
  const descriptor names{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return names && ::fsync(names.get()) == 0;
}

} // namespace novacron
