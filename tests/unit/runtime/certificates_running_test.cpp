#include "actors/peer/mesh_config.hpp"
#include "runtime/certificates/authority.hpp"
#include "runtime/certificates/certificate_end.hpp"
#include "runtime/certificates/cluster_init.hpp"
#include "runtime/certificates/own_certificate.hpp"
#include "runtime/certificates/pinned_files.hpp"
#include "runtime/certificates/secret_file.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>

// What a node does with its certificate as it starts, and while it runs.

using namespace novacron;

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct node_files {
  fs::path folder;
  node_config config;

  node_files() {
    auto name = (fs::temp_directory_path() / "running.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    REQUIRE(init_cluster(folder, development_nodes()).has_value());
    config.roles = {node_role::host};
    config.tls = {folder / "node-2.pem", folder / "node-2.key", folder / "ca.pem"};
  }
  ~node_files() { fs::remove_all(folder); }

  void take(const certificate_authority& authority, std::chrono::hours life) const {
    certificate_request request;
    request.name = "node-2";
    request.node.value = random_uuid();
    request.roles = {node_role::host};
    request.valid_for = life;
    auto pair = authority.issue(request);
    REQUIRE(pair.has_value());
    std::ofstream{config.tls.certificate} << pair->certificate;
    std::ofstream{config.tls.key} << pair->key;
    std::ofstream{config.tls.authority} << authority.files().certificate;
  }
  [[nodiscard]] std::string refusal() const {
    auto identity = check_own_certificate(config);
    REQUIRE(!identity.has_value());
    return identity.error().message;
  }
};

certificate_authority authority_for(std::chrono::hours life) {
  auto authority = certificate_authority::make(cluster_id{random_uuid()}, life);
  REQUIRE(authority.has_value());
  return *authority;
}

/// Keeps the warnings.
struct warnings : log_sink {
  std::vector<std::string> lines;

  void write(log_level level, std::string_view module, std::string_view message,
             std::span<const log_field> fields) override {
    CHECK(level == log_level::warning);
    CHECK(module == "certificates");
    std::string line{message};
    for (const auto& each : fields)
      line += ' ' + std::string{each.name} + '=' + each.value;
    lines.push_back(line);
  }
};

} // namespace

TEST_CASE_FIXTURE(node_files, "a node doesn't start with a certificate that has ended, and says "
                              "which one it is and what to do") {
  SUBCASE("its own") {
    take(authority_for(24h), -1h);
    const auto why = refusal();
    CHECK_MESSAGE(why.starts_with(config.tls.certificate.string() + ": certificate has expired"),
                  why);
    CHECK_MESSAGE(why.find("novacron cluster renew") != std::string::npos, why);
  }
  SUBCASE("the CA's") {
    take(authority_for(-1h), 24h);
    const auto why = refusal();
    CHECK_MESSAGE(why.find("the CA's certificate has expired") != std::string::npos, why);
    CHECK_MESSAGE(why.find("cluster renew") == std::string::npos, why);
  }
}

TEST_CASE_FIXTURE(node_files, "a certificate is warned of when 30 days are left, and not before") {
  auto sink = std::make_shared<warnings>();
  const logger log{sink};
  take(authority_for(24h * 100), 24h * 60);
  auto ends = ends_of(config.tls);
  REQUIRE(ends.has_value());
  const auto end = ends->front().end;
  warn_of_ends(*ends, end - std::chrono::days{30}, log);
  CHECK(sink->lines.empty());
  warn_of_ends(*ends, end - std::chrono::days{30} + 1s, log);
  REQUIRE(sink->lines.size() == 1);
  const auto& line = sink->lines.front();
  CHECK_MESSAGE(line.starts_with("the node's certificate ends soon"), line);
  CHECK_MESSAGE(line.ends_with(" file=" + config.tls.certificate.string() + " end=" + to_date(end)),
                line);
  warn_of_ends(*ends, ends->back().end - std::chrono::days{1}, log);
  REQUIRE(sink->lines.size() == 3);
  CHECK_MESSAGE(sink->lines.back().starts_with("the CA's certificate ends soon"),
                sink->lines.back());
}

TEST_CASE("an end is shown as its date in UTC") {
  using namespace std::chrono;
  CHECK(to_date(sys_days{year{2028} / 2 / 29} + 23h + 59min) == "2028-02-29");
}

TEST_CASE_FIXTURE(node_files, "what a node has pinned stays, whatever becomes of its files") {
  auto pinned = pinned_files::of(config.tls);
  REQUIRE(pinned.has_value());
  const auto paths = pinned->paths();
  const auto before = read_small_file(config.tls.certificate, "it");
  REQUIRE(before.has_value());
  std::ofstream{config.tls.certificate} << "exchanged";
  fs::remove(config.tls.key);
  fs::remove(config.tls.authority);
  for (int i = 0; i < 2; ++i) { // each reader begins at the beginning
    CHECK(*read_small_file(paths.certificate, "it") == *before);
    CHECK(read_mesh_identity({paths.certificate, paths.key, paths.authority}).has_value());
  }
  for (const auto& each : {paths.certificate, paths.key, paths.authority})
    CHECK((::fcntl(std::stoi(each.filename()), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE_FIXTURE(node_files, "what can't be read isn't pinned") {
  fs::remove(config.tls.key);
  auto pinned = pinned_files::of(config.tls);
  REQUIRE(!pinned.has_value());
  CHECK(pinned.error().message.find("node-2.key") != std::string::npos);
}
