#include "dwcp/kept_memory/kept_files.hpp"

#include "messages/page_record.hpp"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

namespace novacron {

namespace fs = std::filesystem;

namespace {

constexpr auto kept_suffix = ".pages";
constexpr auto part_suffix = ".part";

failure unusable(const fs::path& folder, const std::error_code& why) {
  return make_failure(dwcp_errc::unreachable,
                      "folder of kept memory " + folder.string() + ": " + why.message()
                          + "; make it writable for this user, or leave host.kept_memory_mib out");
}

} // namespace

kept_files::kept_files(fs::path folder, uint64_t bound_bytes)
    : folder_{std::move(folder)}, bound_{bound_bytes} {
  // nop
}

result<kept_files> kept_files::open(fs::path folder, uint64_t bound_bytes) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error)
    fs::permissions(folder, fs::perms::owner_all, error);
  if (error)
    return unusable(folder, error);
  kept_files files{std::move(folder), bound_bytes};
  for (fs::directory_iterator at{files.folder_, error}; !error && at != fs::directory_iterator{};
       at.increment(error)) {
    const auto& path = at->path();
    std::error_code gone;
    if (path.extension() == part_suffix)
      fs::remove(path, gone);
    const auto guest
        = path.extension() == kept_suffix ? parse_uuid(path.stem().string()) : std::nullopt;
    if (!guest)
      continue;
    const auto bytes = fs::file_size(path, gone);
    const auto since = gone ? file_time{} : fs::last_write_time(path, gone);
    if (gone)
      continue;
    files.files_.push_back({vm_id{*guest}, bytes, since});
    files.bytes_ += bytes;
  }
  if (error)
    return unusable(files.folder_, error);
  std::ranges::sort(files.files_, {}, &kept_file::since);
  files.claim(0);
  return files;
}

fs::path kept_files::path_of(vm_id guest) const {
  return folder_ / (to_string(guest) + kept_suffix);
}

fs::path kept_files::next_part() {
  return folder_ / (std::to_string(parts_++) + part_suffix);
}

bool kept_files::claim(uint64_t bytes) {
  while (bytes_ + bytes > bound_ && !files_.empty())
    remove(files_.front().guest);
  if (bytes_ + bytes > bound_)
    return false;
  bytes_ += bytes;
  return true;
}

void kept_files::give_up(const fs::path& part, uint64_t bytes) {
  std::error_code ignored;
  fs::remove(part, ignored);
  bytes_ -= bytes;
}

bool kept_files::put(vm_id guest, const fs::path& part, uint64_t bytes) {
  remove(guest);
  std::error_code error;
  fs::rename(part, path_of(guest), error);
  if (error) {
    give_up(part, bytes);
    return false;
  }
  files_.push_back({guest, bytes, file_time::clock::now()});
  return true;
}

uint64_t kept_files::bytes_of(vm_id guest) const {
  const auto found = std::ranges::find(files_, guest, &kept_file::guest);
  return found == files_.end() ? 0 : found->bytes;
}

std::vector<kept_files::kept_file> kept_files::in_order_for(vm_id guest) const {
  std::vector<kept_file> order{files_.rbegin(), files_.rend()};
  std::ranges::stable_partition(order, [&](const auto& x) { return x.guest == guest; });
  return order;
}

void kept_files::remove(vm_id guest) {
  const auto found = std::ranges::find(files_, guest, &kept_file::guest);
  if (found == files_.end())
    return;
  std::error_code ignored;
  fs::remove(path_of(guest), ignored);
  bytes_ -= found->bytes;
  files_.erase(found);
}

void kept_files::remove_older_than(file_time limit) {
  while (!files_.empty() && files_.front().since < limit)
    remove(files_.front().guest);
}

} // namespace novacron
