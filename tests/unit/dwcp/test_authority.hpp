#pragma once

#include "dwcp/session/session.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace novacron::testing {

/// A folder that goes with its owner.
class temporary_folder {
public:
  temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder();

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

private:
  std::filesystem::path path_;
};

/// A cluster's CA that signs what tests ask for.
class test_authority {
public:
  test_authority();

  /// A certificate whose SAN holds these URIs; files in the CA's own folder.
  [[nodiscard]] tls_files issue(const std::vector<std::string>& uris) const;
  /// As a node of the cluster has it.
  [[nodiscard]] tls_files issue(const node_id& node) const;

private:
  temporary_folder folder_;
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> certificate_;
};

} // namespace novacron::testing
