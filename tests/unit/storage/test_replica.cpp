#include "test_replica.hpp"

#include "tests/becomes_true.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <thread>

namespace novacron {

scratch_folder::scratch_folder() {
  auto name = (std::filesystem::temp_directory_path() / "novacron-storage-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

replica_config test_config(const std::filesystem::path& folder) {
  replica_config config;
  config.folder = folder;
  config.node = test_node;
  config.cluster = {{0xc, 1}};
  config.timeline = 1;
  return config;
}

std::unique_ptr<replica> open_replica(const replica_config& config) {
  auto opened = replica::open(config);
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  return std::move(*opened);
}

std::vector<command_outcome> propose(replica& to, std::vector<command> commands) {
  auto answer = std::make_shared<awaited<std::vector<command_outcome>>>();
  to.propose(std::move(commands), [answer](auto outcomes) { answer->set(std::move(outcomes)); });
  auto outcomes = answer->get();
  REQUIRE_MESSAGE(outcomes, "a proposal was not answered");
  return *outcomes;
}

command_outcome propose(replica& to, command_body body, idempotency asked) {
  return propose(to, {command{std::move(body), std::move(asked)}}).at(0);
}

node_id test_host(uint64_t n) {
  return {{0xd, n}};
}

vm_id test_vm(uint64_t n) {
  return {{0xe, n}};
}

command register_test_host(uint64_t n) {
  host_record host;
  host.id = test_host(n);
  host.name = "node-" + std::to_string(n);
  host.vcpus = 1u << 20;
  host.memory_mib = 1u << 30;
  host.images = {"tick"};
  host.boot = test_boot;
  return {register_host{host}, {}};
}

command create_test_vm(uint64_t n, uint64_t host, const std::string& key) {
  create_vm wish;
  wish.vm = test_vm(n);
  wish.name = "vm-" + std::to_string(n);
  wish.spec.image = "tick";
  wish.host = test_host(host);
  wish.operation = {{0xf, n}};
  idempotency asked;
  asked.principal = "ann";
  asked.key = key;
  return {wish, asked};
}

std::pair<std::vector<any_record>, uint64_t> list_all(replica& of, node_id host,
                                                      uint32_t limit_bytes) {
  std::vector<any_record> all;
  std::optional<uint64_t> revision;
  list_request request;
  request.filter.host = host;
  request.limit_bytes = limit_bytes;
  do {
    auto page = of.list(request);
    REQUIRE_MESSAGE(page.has_value(), page.error().message);
    if (!revision)
      revision = page->revision;
    all.insert(all.end(), page->records.begin(), page->records.end());
    request.from = page->next;
  } while (!request.from.empty());
  return {all, *revision};
}

bool eventually(const std::function<bool()>& done) {
  return becomes_true(std::chrono::seconds{10}, done);
}

} // namespace novacron
