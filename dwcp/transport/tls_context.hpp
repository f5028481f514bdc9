#pragma once

#include "dwcp/errors.hpp"
#include "dwcp/session/session.hpp"

#include <memory>

struct ssl_ctx_st;

namespace novacron {

/// TLS 1.3 with a certificate of the cluster's CA at both ends, nothing else.
/// Immutable, so it may be shared by threads and connections.
class tls_context {
public:
  /// `unauthorised` when a file can't be read or key and certificate don't match.
  static result<tls_context> load(const tls_files& files);

  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }

private:
  explicit tls_context(std::shared_ptr<ssl_ctx_st> context) : context_{std::move(context)} {
    // nop
  }

  std::shared_ptr<ssl_ctx_st> context_;
};

} // namespace novacron
