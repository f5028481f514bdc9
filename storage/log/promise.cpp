#include "storage/log/promise.hpp"

#include "storage/errors.hpp"
#include "storage/log/fields.hpp"
#include "storage/log/rolling_hash.hpp"

#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>
#include <utility>

namespace novacron {

namespace {

std::filesystem::path path_in(const std::filesystem::path& folder) {
  return folder / "PROMISED";
}

std::string encode(const promise_file::promise& made) {
  auto body = field_writer{}.number(made.index).number(made.term).take();
  const auto sum = rolling_hash(0, std::as_bytes(std::span{body}));
  return field_writer{}.text(body).number(sum).take();
}

} // namespace

promise_file::~promise_file() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

promise_file::promise_file(promise_file&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)} {
  // nop
}

promise_file& promise_file::operator=(promise_file&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

std::optional<promise_file::promise> promise_file::read(const std::filesystem::path& folder) {
  std::ifstream file{path_in(folder), std::ios::binary};
  std::string text(24, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(text.size())))
    return {};
  field_reader fields{text};
  promise made;
  made.index = fields.number<uint64_t>();
  made.term = fields.number<uint64_t>();
  if (encode(made) != text)
    return {};
  return made;
}

result<promise_file> promise_file::open(const std::filesystem::path& folder) {
  promise_file file;
  file.descriptor_ = ::open(path_in(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file.descriptor_ < 0)
    return make_failure(storage_errc::cannot_open,
                        "storage: cannot write " + path_in(folder).string() + ": "
                            + std::strerror(errno) + "; give this user the folder");
  return file;
}

bool promise_file::write(const promise& made) {
  const auto text = encode(made);
  return ::pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

bool promise_file::sync() {
  return ::fdatasync(descriptor_) == 0;
}

} // namespace novacron
