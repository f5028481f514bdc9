#include "dwcp/transport/tls_context.hpp"

#include <array>
#include <new>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace novacron {

namespace {

failure unusable(const std::string& what, const std::filesystem::path& file) {
  std::array<char, 256> reason{"not usable"};
  if (const auto error = ERR_peek_last_error(); error != 0)
    ERR_error_string_n(error, reason.data(), reason.size());
  ERR_clear_error();
  return make_failure(dwcp_errc::unauthorised, "TLS for guest memory: " + what + " " + file.native()
                                                   + ": " + reason.data()
                                                   + "; make the node's certificate again");
}

} // namespace

result<tls_context> tls_context::load(const tls_files& files) {
  ERR_clear_error();
  const std::shared_ptr<SSL_CTX> context{SSL_CTX_new(TLS_method()), SSL_CTX_free};
  if (!context)
    throw std::bad_alloc{};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // A session is opened once: nothing is to be resumed, by us or by anyone.
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1)
    return unusable("certificate", files.certificate);
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return unusable("key", files.key);
  if (SSL_CTX_load_verify_file(context.get(), files.authority.c_str()) != 1)
    return unusable("authority", files.authority);
  return tls_context{context};
}

} // namespace novacron
