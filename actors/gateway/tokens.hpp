#pragma once

#include "actors/gateway/gateway_config.hpp"
#include "messages/result.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace novacron {

using sha256_digest = std::array<std::byte, 32>;

/// SHA-256 of the parts, each preceded by its length, so that moving a byte
/// from one to the next changes it.
sha256_digest digest_of(std::span<const std::string_view> parts);

/// SHA-256 of `text`, as 64 hexadecimal digits: what a configuration holds of a token.
std::string sha256_hex(std::string_view text);

/// Knows who a bearer token belongs to.
class token_table {
public:
  /// Fails when a hash isn't 64 hexadecimal digits or a principal is empty.
  static result<token_table> make(const std::vector<api_token>& tokens);

  /// The principal of an Authorization header's "Bearer …". Compares with every
  /// known hash in constant time: the time taken tells nothing about them.
  [[nodiscard]] std::optional<std::string> principal(std::string_view authorization) const;

private:
  struct entry {
    std::string principal;
    sha256_digest hash{};
  };
  std::vector<entry> entries_;
};

} // namespace novacron
