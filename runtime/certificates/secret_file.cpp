#include "runtime/certificates/secret_file.hpp"

#include "messages/descriptor.hpp"
#include "messages/durable_file.hpp"
#include "runtime/errors.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>

namespace novacron {

namespace {

constexpr size_t max_small_file_bytes = 65'536;

failure refused(const std::string& what, const std::filesystem::path& file,
                const std::string& remedy) {
  return make_failure(runtime_errc::folder, "cannot " + what + ' ' + file.string() + ": "
                                                + std::strerror(errno) + remedy);
}

} // namespace

result<void> write_secret_file(const std::filesystem::path& file, std::string_view content) {
  if (make_durable_file(file, content, 0600))
    return {};
  return refused("make", file,
                 errno == EEXIST ? "; remove it, or choose another folder"
                                 : "; see that its disk has room and can be written");
}

result<std::string> read_small_file(const std::filesystem::path& file, std::string_view what) {
  descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!in)
    return refused("read " + std::string{what}, file, "");
  std::string content(max_small_file_bytes + 1, '\0');
  size_t size = 0;
  while (size < content.size()) {
    const auto n = ::read(in.get(), content.data() + size, content.size() - size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return refused("read " + std::string{what}, file, "");
    if (n == 0)
      break;
    size += static_cast<size_t>(n);
  }
  if (size > max_small_file_bytes)
    return make_failure(runtime_errc::folder, std::string{what} + ' ' + file.string()
                                                  + ": larger than 64 KiB; it is something else");
  content.resize(size);
  return content;
}

} // namespace novacron
