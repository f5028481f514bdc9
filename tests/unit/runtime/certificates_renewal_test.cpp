#include "actors/peer/identity.hpp"
#include "actors/peer/openssl_handles.hpp"
#include "runtime/certificates/authority.hpp"
#include "runtime/certificates/certificate_end.hpp"
#include "runtime/certificates/cluster_commands.hpp"
#include "runtime/certificates/cluster_init.hpp"
#include "runtime/certificates/renewal.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "tests/power_cut/power_cut.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <map>

using namespace novacron;

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string content(const fs::path& file) {
  auto text = read_small_file(file, "a file");
  REQUIRE(text.has_value());
  return *text;
}

/// A cluster's folder with node-1, of two roles and an address, and node-2.
struct cluster_folder {
  fs::path all = fresh_folder();
  fs::path folder = all / "cluster";

  cluster_folder() {
    auto made
        = init_cluster(folder, {{"node-1", {node_role::controller, node_role::host}, {"10.0.0.9"}},
                                {"node-2", {node_role::host}, {}}});
    REQUIRE(made.has_value());
  }
  ~cluster_folder() { fs::remove_all(all); }

  static fs::path fresh_folder() {
    auto name = (fs::temp_directory_path() / "renewal.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }
  [[nodiscard]] std::string at(const std::string& name) const { return content(folder / name); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream{folder / name, std::ios::binary} << text;
  }
  [[nodiscard]] certificate_authority authority() const {
    auto loaded = certificate_authority::load({at("ca.pem"), at("ca.key")});
    REQUIRE(loaded.has_value());
    return *loaded;
  }
  /// All files and what they hold.
  [[nodiscard]] std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> found;
    for (const auto& each : fs::directory_iterator{folder})
      if (each.is_regular_file())
        found.emplace(each.path().filename(), content(each.path()));
    return found;
  }
  /// Why renewing is refused; what is said in one line, and changes nothing.
  [[nodiscard]] std::string refusal(const std::string& name) const {
    const auto before = files();
    auto renewed = renew_node_certificate(folder, name);
    REQUIRE(!renewed.has_value());
    const auto& why = renewed.error().message;
    CHECK_MESSAGE(why.find('\n') == std::string::npos, why);
    CHECK(files() == before);
    return why;
  }
};

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE_FIXTURE(cluster_folder, "a renewed certificate is for the same node, with a new key and "
                                  "two years, and the old pair is kept") {
  const auto certificate = at("node-1.pem");
  const auto key = at("node-1.key");
  const auto other = at("node-2.pem");
  auto renewed = renew_node_certificate(folder, "node-1");
  REQUIRE_MESSAGE(renewed.has_value(), (renewed ? std::string{} : renewed.error().message));
  const auto now_there = at("node-1.pem");
  CHECK(verify_with_authority(now_there, at("ca.pem")).has_value());
  CHECK(verify_key(now_there, at("node-1.key")).has_value());
  CHECK(!verify_key(now_there, key).has_value()); // the key is another
  CHECK(*identity_of(now_there) == *identity_of(certificate));
  CHECK(identity_of(now_there)->node == renewed->node);
  CHECK(X509_check_ip_asc(read_certificate(now_there).get(), "10.0.0.9", 0) == 1);
  CHECK(X509_NAME_cmp(X509_get_subject_name(read_certificate(now_there).get()),
                      X509_get_subject_name(read_certificate(certificate).get()))
        == 0);
  CHECK(*end_of_certificate(now_there) == renewed->end);
  CHECK(renewed->end > std::chrono::system_clock::now() + std::chrono::days{729});
  CHECK(at("node-1.pem.old") == certificate);
  CHECK(at("node-1.key.old") == key);
  CHECK(at("node-2.pem") == other);
  for (const auto* each : {"node-1.pem", "node-1.key", "node-1.pem.old", "node-1.key.old"})
    CHECK(fs::status(folder / each).permissions()
          == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(!fs::exists(folder / "node-1.key.new"));
}

TEST_CASE_FIXTURE(cluster_folder, "a certificate that has ended is renewed") {
  certificate_request request;
  request.name = "node-3";
  request.node.value = random_uuid();
  request.roles = {node_role::host};
  request.valid_for = -1h;
  auto ended = authority().issue(request);
  REQUIRE(ended.has_value());
  write("node-3.pem", ended->certificate); // and no key: it never left its node
  auto renewed = renew_node_certificate(folder, "node-3");
  REQUIRE(renewed.has_value());
  CHECK(renewed->node == request.node);
  CHECK(verify_with_authority(at("node-3.pem"), at("ca.pem")).has_value());
  CHECK(verify_key(at("node-3.pem"), at("node-3.key")).has_value());
  CHECK(!fs::exists(folder / "node-3.pem.old"));
}

TEST_CASE_FIXTURE(cluster_folder, "what the certificate of an unknown node is renewed for is "
                                  "refused, with the names that there are") {
  const auto why = refusal("node-9");
  CHECK_MESSAGE(says(why, "no certificate of a node \"node-9\" in " + folder.string()), why);
  CHECK_MESSAGE(says(why, "node-1"), why);
  CHECK_MESSAGE(says(why, "copy it"), why);
  CHECK(says(refusal("ca"), "no certificate of a node \"ca\""));
  CHECK(says(refusal("../cluster/node-1"), "no certificate of a node"));
}

TEST_CASE_FIXTURE(cluster_folder, "nothing is renewed without the CA's key") {
  fs::remove(folder / "ca.key");
  const auto why = refusal("node-1");
  CHECK_MESSAGE(says(why, (folder / "ca.key").string()), why);
  CHECK_MESSAGE(says(why, "name the folder that `novacron cluster init` made"), why);
}

TEST_CASE_FIXTURE(cluster_folder, "nothing is renewed by a CA that isn't the node's") {
  REQUIRE(init_cluster(all / "other", development_nodes()).has_value());
  SUBCASE("whose key alone is another's") {
    write("ca.key", content(all / "other" / "ca.key"));
    const auto why = refusal("node-1");
    CHECK_MESSAGE(says(why, (folder / "ca.key").string()), why);
    CHECK_MESSAGE(says(why, "the key is not the certificate's"), why);
  }
  SUBCASE("which is another cluster's") {
    write("ca.key", content(all / "other" / "ca.key"));
    write("ca.pem", content(all / "other" / "ca.pem"));
    const auto why = refusal("node-1");
    CHECK_MESSAGE(says(why, (folder / "node-1.pem").string() + ": not signed by this CA"), why);
    CHECK_MESSAGE(says(why, "name the folder of the node's own cluster"), why);
  }
}

TEST_CASE_FIXTURE(cluster_folder, "nothing is renewed by a CA that has ended") {
  auto ended = certificate_authority::make(cluster_id{random_uuid()}, -1h);
  REQUIRE(ended.has_value());
  certificate_request request;
  request.name = "node-1";
  request.node.value = random_uuid();
  request.roles = {node_role::host};
  auto pair = ended->issue(request);
  REQUIRE(pair.has_value());
  write("ca.pem", ended->files().certificate);
  write("ca.key", ended->files().key);
  write("node-1.pem", pair->certificate);
  write("node-1.key", pair->key);
  const auto why = refusal("node-1");
  CHECK_MESSAGE(says(why, (folder / "ca.pem").string() + ": the CA's certificate has expired"),
                why);
}

TEST_CASE_FIXTURE(cluster_folder, "where nothing can be written the old pair stays") {
  SUBCASE("because something is in the way") {
    fs::create_directories(folder / "node-1.key.new" / "something");
    const auto why = refusal("node-1");
    CHECK_MESSAGE(says(why, "cannot write " + (folder / "node-1.key.new").string()), why);
    CHECK_MESSAGE(says(why, "can be written, then renew again"), why);
  }
  SUBCASE("because something is in the certificate's way, when the key is written") {
    fs::create_directories(folder / "node-1.pem.new" / "something");
    const auto why = refusal("node-1");
    CHECK_MESSAGE(says(why, "cannot write " + (folder / "node-1.pem.new").string()), why);
  }
  SUBCASE("because the disk is full") {
    power_cut power{all};
    power.fill_up();
    const auto why = refusal("node-1");
    CHECK_MESSAGE(says(why, "No space left on device"), why);
  }
}

TEST_CASE_FIXTURE(cluster_folder, "a power cut while a certificate is renewed leaves a pair that "
                                  "fits, and afterwards the new one") {
  int cuts = 0;
  std::string last;
  {
    power_cut power{folder};
    auto look = [&] {
      const auto left = all / std::to_string(++cuts);
      power.survivors(left);
      last = content(left / "node-1.pem");
      CHECK(verify_key(last, content(left / "node-1.key")).has_value());
    };
    power.after_each(look);
    REQUIRE(renew_node_certificate(folder, "node-1").has_value());
    power.after_each({});
    look();
  }
  CHECK(cuts > 5);
  CHECK(last == at("node-1.pem"));
}

TEST_CASE_FIXTURE(cluster_folder, "what a power cut left of a renewal is renewed, and the old pair "
                                  "is still there") {
  const auto certificate = at("node-1.pem");
  const auto key = at("node-1.key");
  REQUIRE(renew_node_certificate(folder, "node-1").has_value());
  write("node-1.pem", certificate); // as if the second rename had not been
  write("node-1.pem.new", "whatever there was of it");
  REQUIRE(renew_node_certificate(folder, "node-1").has_value());
  CHECK(verify_key(at("node-1.pem"), at("node-1.key")).has_value());
  CHECK(at("node-1.pem.old") == certificate);
  CHECK(at("node-1.key.old") == key);
}

TEST_CASE_FIXTURE(cluster_folder,
                  "the command renews with status 0, and is refused with status 2") {
  auto status_of = [&](const std::string& node) {
    CLI::App app;
    std::function<int()> chosen;
    add_cluster_commands(app, chosen);
    app.parse("cluster renew " + node + " --folder " + folder.string());
    return chosen();
  };
  const auto before = at("node-2.pem");
  CHECK(status_of("node-9") == 2);
  CHECK(at("node-2.pem") == before);
  CHECK(status_of("node-2") == 0);
  CHECK(at("node-2.pem") != before);
}

TEST_CASE_FIXTURE(cluster_folder, "a renewed CA vouches for what it has signed, and its old "
                                  "certificate for what it signs from then on") {
  const auto before = files();
  const auto end = renew_authority(folder);
  REQUIRE(end.has_value());
  CHECK(*end - std::chrono::system_clock::now() > 24h * 3'649);
  CHECK(at("ca.pem") != before.at("ca.pem"));
  CHECK(at("ca.pem.old") == before.at("ca.pem"));
  CHECK(at("ca.key") == before.at("ca.key"));
  CHECK(verify_with_authority(at("node-1.pem"), at("ca.pem")).has_value());
  REQUIRE(renew_node_certificate(folder, "node-2").has_value());
  CHECK(verify_with_authority(at("node-2.pem"), at("ca.pem")).has_value());
  CHECK(verify_with_authority(at("node-2.pem"), at("ca.pem.old")).has_value());
}

TEST_CASE_FIXTURE(cluster_folder, "a power cut while the CA is renewed leaves a whole certificate, "
                                  "and afterwards the new one beside the old one") {
  const auto before = at("ca.pem");
  fs::path left;
  {
    int cuts = 0;
    power_cut power{folder};
    auto look = [&] {
      left = all / std::to_string(++cuts);
      power.survivors(left);
      const auto there = content(left / "ca.pem");
      if (there == before)
        return;
      CHECK(there == at("ca.pem"));
      CHECK(fs::exists(left / "ca.pem.old"));
    };
    power.after_each(look);
    REQUIRE(renew_authority(folder).has_value());
    power.after_each({});
    look();
  }
  REQUIRE(at("ca.pem") != before);
  CHECK(content(left / "ca.pem") == at("ca.pem"));
  REQUIRE(fs::exists(left / "ca.pem.old"));
  CHECK(content(left / "ca.pem.old") == before);
}

TEST_CASE_FIXTURE(cluster_folder,
                  "a CA that has ended is renewed, and its nodes are trusted again") {
  const auto ended = authority().renewed(-1h);
  REQUIRE(ended.has_value());
  write("ca.pem", ended->files().certificate);
  CHECK(!verify_with_authority(at("node-1.pem"), at("ca.pem")).has_value());
  REQUIRE(renew_authority(folder).has_value());
  CHECK(verify_with_authority(at("node-1.pem"), at("ca.pem")).has_value());
}

TEST_CASE_FIXTURE(cluster_folder, "a CA that can't be renewed keeps its certificate") {
  SUBCASE("without its key") {
    const auto other = certificate_authority::make(cluster_id{random_uuid()});
    REQUIRE(other.has_value());
    write("ca.key", other->files().key);
    const auto before = files();
    CHECK(!renew_authority(folder).has_value());
    CHECK(files() == before);
  }
  SUBCASE("on a full disk") {
    const auto before = files();
    power_cut power{all};
    power.fill_up();
    const auto end = renew_authority(folder);
    REQUIRE(!end.has_value());
    CHECK(says(end.error().message, "No space left on device"));
    CHECK(at("ca.pem") == before.at("ca.pem"));
  }
}
