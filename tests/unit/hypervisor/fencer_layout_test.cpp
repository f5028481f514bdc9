#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/libvirtd_layout.hpp"
#include "hypervisor/fencer/state_folder.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace novacron;
namespace fs = std::filesystem;

namespace {

const node_id host{*parse_uuid("0a1b2c3d-2222-4333-8444-555555555555")};

struct folder {
  folder() {
    char name[] = "/tmp/novacron-layout-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~folder() { fs::remove_all(path); }
  fs::path path;
};

mode_t mode_of(const fs::path& path) {
  struct stat facts {};
  ::stat(path.c_str(), &facts);
  return facts.st_mode & 07777;
}

} // namespace

TEST_CASE("no socket's path is too long, however long the state folder's") {
  for (auto mode : {libvirt_mode::session, libvirt_mode::system})
    for (size_t length : {1u, 31u, 32u, 200u}) {
      auto layout = lay_out_libvirtd({host, "/" + std::string(length - 1, 's'), mode});
      CAPTURE(layout.root);
      // What libvirt adds for the longest of QEMU's monitors, with a guest's short name of 20.
      CHECK(layout.root.native().size() + 72 <= 107);
      CHECK(layout.socket.native().size() <= 107);
      CHECK(layout.socket.native().starts_with(layout.root.native()));
    }
  auto shortened = lay_out_libvirtd({host, std::string(200, 's')}).root;
  CHECK(shortened.filename() == "0a1b2c3d");
}

TEST_CASE("a state folder's path may be relative or end with a slash") {
  auto layout = lay_out_libvirtd({host, "/a/b/../state/"});
  CHECK(layout.state == "/a/state");
  CHECK(lay_out_libvirtd({host, "x"}).state == fs::current_path() / "x");
}

TEST_CASE("libvirtd's configuration names the host and closes the socket to others") {
  auto text = libvirtd_conf({host, "/s"});
  CHECK(text.find("host_uuid = \"0a1b2c3d-2222-4333-8444-555555555555\"") != std::string::npos);
  CHECK(text.find("unix_sock_rw_perms = \"0600\"") != std::string::npos);
  CHECK(qemu_conf(libvirt_mode::session).find("user =") == std::string::npos);
  CHECK(qemu_conf(libvirt_mode::system).find("namespaces = []") != std::string::npos);
  CHECK(libvirt_uri({host, "/s"}) == "qemu+unix:///session?socket=/s/run/libvirt/libvirt-sock");
  CHECK(libvirt_uri({host, "/s", libvirt_mode::system})
        == "qemu+unix:///system?socket=/s/run/libvirt-sock");
}

TEST_CASE("libvirtd's keepalive outlasts the 30 s in which a migration may be silent") {
  for (const auto& text : {libvirtd_conf({host, "/s"}), qemu_conf(libvirt_mode::session)}) {
    auto number = [&](const std::string& name) {
      return std::stoi(text.substr(text.find(name + " = ") + name.size() + 3));
    };
    CHECK(number("keepalive_interval") * number("keepalive_count") >= 60);
  }
}

TEST_CASE("a state folder is made passable, and one that others can write to is refused") {
  folder here;
  auto state = here.path / "a" / "b";
  REQUIRE(claim_state_folder(state).has_value());
  CHECK((mode_of(state) & 0133) == 0111);
  ::chmod(state.c_str(), 0777);
  auto claimed = claim_state_folder(state);
  REQUIRE_FALSE(claimed.has_value());
  CHECK(claimed.error().code == hypervisor_errc::refused);
  CHECK(mode_of(state) == 0777); // not ours to change
  fs::create_symlink(here.path, here.path / "link");
  CHECK_FALSE(claim_state_folder(here.path / "link").has_value());
}

TEST_CASE("a state folder has one fencer at a time") {
  folder here;
  auto first = lock_state_folder(here.path);
  REQUIRE(first.has_value());
  CHECK(lock_state_folder(here.path).error().code == hypervisor_errc::already_there);
  *first = {};
  CHECK(lock_state_folder(here.path).has_value());
}

TEST_CASE("a short name follows its folder, but not while another's fencer uses it") {
  folder here;
  fs::create_directories(here.path / "one");
  fs::create_directories(here.path / "two");
  libvirtd_layout one, two;
  one.state = here.path / "one";
  two.state = here.path / "two";
  one.root = two.root = here.path / "names" / "0a1b2c3d";
  REQUIRE(name_state_folder(one).has_value());
  CHECK(fs::read_symlink(one.root) == one.state);
  {
    auto lock = lock_state_folder(one.state);
    CHECK_FALSE(name_state_folder(two).has_value());
    CHECK(name_state_folder(one).has_value());
  }
  REQUIRE(name_state_folder(two).has_value());
  CHECK(fs::read_symlink(one.root) == two.state);
}
