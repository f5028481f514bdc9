#include "runtime/certificates/certificate_end.hpp"

#include "actors/peer/openssl_handles.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/errors.hpp"

#include <array>
#include <ctime>

namespace novacron {

namespace {

constexpr std::chrono::days warned_before{30};

} // namespace

result<std::chrono::sys_seconds> end_of_certificate(std::string_view pem) {
  auto certificate = read_certificate(pem);
  std::tm end{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
    ERR_clear_error();
    return make_failure(runtime_errc::certificate, "that is no certificate with an end");
  }
  return std::chrono::sys_seconds{std::chrono::seconds{::timegm(&end)}};
}

std::string to_date(std::chrono::sys_seconds time) {
  const auto seconds = static_cast<std::time_t>(time.time_since_epoch().count());
  std::tm parts{};
  std::array<char, 32> text{};
  ::gmtime_r(&seconds, &parts);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts)};
}

result<std::vector<certificate_end>> ends_of(const tls_files& files) {
  std::vector<certificate_end> ends;
  for (const auto& [file, authority] :
       {std::pair{files.certificate, false}, std::pair{files.authority, true}}) {
    auto pem = read_small_file(file, "a certificate");
    if (!pem)
      return pem.error();
    auto end = end_of_certificate(*pem);
    if (!end)
      return make_failure(runtime_errc::certificate, file.string() + ": " + end.error().message);
    ends.push_back({file, *end, authority});
  }
  return ends;
}

void warn_of_ends(const std::vector<certificate_end>& ends, std::chrono::sys_seconds now,
                  const logger& log) {
  for (const auto& [file, end, authority] : ends)
    if (end < now + warned_before)
      log.warning("certificates",
                  authority
                      ? "the CA's certificate ends soon, or has ended: no node connects after it"
                      : "the node's certificate ends soon, or has ended: no connection is made "
                        "after it; `novacron cluster renew`, then restart the node",
                  {{"file", file.string()}, {"end", to_date(end)}});
}

} // namespace novacron
