#include "runtime/certificates/pinned_files.hpp"

#include "runtime/certificates/secret_file.hpp"
#include "runtime/errors.hpp"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>

namespace novacron {

namespace {

result<descriptor> copy_of(const std::filesystem::path& file, const char* what) {
  auto content = read_small_file(file, what);
  if (!content)
    return content.error();
  descriptor copy{::memfd_create(what, MFD_CLOEXEC)};
  // Memory takes all of a small file at once.
  if (!copy
      || ::write(copy.get(), content->data(), content->size())
             != static_cast<ssize_t>(content->size()))
    return make_failure(runtime_errc::process,
                        "cannot keep " + file.string() + " in memory: " + std::strerror(errno));
  return copy;
}

std::filesystem::path path_of(const descriptor& copy) {
  return "/proc/self/fd/" + std::to_string(copy.get());
}

} // namespace

result<pinned_files> pinned_files::of(const tls_files& files) {
  pinned_files pinned;
  auto certificate = copy_of(files.certificate, "the node's certificate");
  if (!certificate)
    return certificate.error();
  auto key = copy_of(files.key, "the node's key");
  if (!key)
    return key.error();
  auto authority = copy_of(files.authority, "the CA's certificate");
  if (!authority)
    return authority.error();
  pinned.copies_ = {std::move(*certificate), std::move(*key), std::move(*authority)};
  return pinned;
}

tls_files pinned_files::paths() const {
  return {path_of(copies_[0]), path_of(copies_[1]), path_of(copies_[2])};
}

} // namespace novacron
