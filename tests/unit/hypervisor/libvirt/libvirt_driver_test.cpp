#include "hypervisor/libvirt/autostart.hpp"
#include "hypervisor/libvirt/libvirt_driver.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <libvirt/virterror.h>

using namespace novacron;

// libvirt's own test driver stands in for a libvirtd: its domains live in this process, and
// all of its connections see the same ones. What it can't do, or does too well, is done here.

namespace {

bool state_fails = false;
bool metadata_fails = false;
int stamps = 0; ///< metadata that was written

template <class Function>
Function* next(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

extern "C" {

int virDomainGetState(virDomainPtr domain, int* state, int* reason, unsigned flags) {
  virResetLastError();
  return state_fails ? -1
                     : next(virDomainGetState, "virDomainGetState")(domain, state, reason, flags);
}

char* virDomainGetMetadata(virDomainPtr domain, int type, const char* uri, unsigned flags) {
  virResetLastError();
  return metadata_fails
             ? nullptr
             : next(virDomainGetMetadata, "virDomainGetMetadata")(domain, type, uri, flags);
}

int virDomainSetMetadata(virDomainPtr domain, int type, const char* metadata, const char* key,
                         const char* uri, unsigned flags) {
  ++stamps;
  return next(virDomainSetMetadata, "virDomainSetMetadata")(domain, type, metadata, key, uri,
                                                            flags);
}

/// A guest that takes its time.
int virDomainShutdownFlags(virDomainPtr, unsigned) {
  return 0;
}

} // extern "C"

namespace {

constexpr const char* all_in_this_process = "test:///default";

/// A driver, a guest of its host, and a view of it past the driver.
struct host {
  node_id id{random_uuid()};
  vm_id vm{random_uuid()};
  connect_pointer outside{virConnectOpen(all_in_this_process), virConnectClose};
  libvirt_driver driver{{.socket = {}, .host = id, .boot = boot_id{random_uuid()}},
                        all_in_this_process};

  host() { start_guest(); }
  ~host() {
    state_fails = metadata_fails = false;
    if (auto guest = find())
      virDomainDestroy(guest.get());
  }
  host(const host&) = delete;
  host& operator=(const host&) = delete;

  void start_guest() {
    const domain_metadata metadata{id, vm, {1, 1}, false, boot_id{random_uuid()}};
    const auto xml = "<domain type='test'><name>" + domain_name(vm) + "</name><uuid>"
                     + to_string(vm) + "</uuid><metadata>" + to_xml(metadata)
                     + "</metadata><memory>1024</memory><os><type>hvm</type></os></domain>";
    REQUIRE(domain_pointer{virDomainCreateXML(outside.get(), xml.c_str(), 0)});
  }
  domain_pointer find() {
    return domain_pointer{virDomainLookupByName(outside.get(), domain_name(vm).c_str())};
  }
  void end_guest() { REQUIRE(virDomainDestroy(find().get()) == 0); }
  [[nodiscard]] guest_phase phase() {
    const auto guests = driver.list();
    REQUIRE(guests.has_value());
    REQUIRE(guests->size() == 1);
    return guests->front().phase;
  }
};

template <class T>
std::error_code code(const result<T>& x) {
  return x ? std::error_code{} : x.error().code;
}

} // namespace

TEST_CASE("a guest whose state libvirt doesn't tell is neither confirmed away nor cancelled") {
  host x;
  state_fails = true;
  CHECK(code(x.driver.migration_confirm(x.vm, {})) == hypervisor_errc::unreachable);
  CHECK(x.find());
  CHECK(code(x.driver.migration_finish(x.vm, {}, true)) == hypervisor_errc::unreachable);
  CHECK(x.find());
  state_fails = false;
  CHECK(code(x.driver.migration_confirm(x.vm, {})) == hypervisor_errc::refused); // it runs
  CHECK(x.find());
}

TEST_CASE("a guest whose state libvirt doesn't tell doesn't count as resumed") {
  host x;
  REQUIRE(virDomainSuspend(x.find().get()) == 0);
  REQUIRE(x.phase() == guest_phase::paused);
  state_fails = true;
  CHECK(code(x.driver.resume(x.vm)) == hypervisor_errc::unreachable);
  state_fails = false;
  CHECK(x.driver.resume(x.vm).has_value());
  CHECK(x.phase() == guest_phase::running);
}

TEST_CASE("a guest about which libvirt doesn't answer is not missing from the list") {
  host x;
  for (bool* fails : {&state_fails, &metadata_fails}) {
    *fails = true;
    CHECK(code(x.driver.list()) == hypervisor_errc::unreachable);
    CHECK(code(x.driver.pause(x.vm)) == hypervisor_errc::unreachable);
    *fails = false;
  }
  // Domains of others, which have no metadata, are no reason to fail.
  REQUIRE(domain_pointer{virDomainLookupByName(x.outside.get(), "test")});
  CHECK(x.phase() == guest_phase::running);
}

TEST_CASE("a guest that was asked to stop, and has, isn't stopping when its VM comes back") {
  host x;
  REQUIRE(x.driver.shutdown(x.vm).has_value());
  CHECK(x.phase() == guest_phase::stopping);
  x.end_guest();
  CHECK(x.driver.list().value().empty());
  x.start_guest(); // as a migration brings it: not by `create`
  CHECK(x.phase() == guest_phase::running);
}

TEST_CASE("a guest is stamped with the epoch under which it goes on, once") {
  host x;
  stamps = 0;
  for (int time = 0; time < 2; ++time) { // a migration that has begun meanwhile is left alone
    REQUIRE(x.driver.adopt(x.vm, {1, 3}).has_value());
    CHECK(x.driver.list().value().front().epoch == epoch{1, 3});
    CHECK(stamps == 1);
  }
}

TEST_CASE("where libvirt starts a guest by itself the driver doesn't start") {
  host x;
  const domain_pointer other{virDomainLookupByName(x.outside.get(), "test")}; // of libvirt's own
  REQUIRE(other);
  REQUIRE(virDomainSetAutostart(other.get(), 1) == 0);
  const auto started = x.driver.start();
  REQUIRE(virDomainSetAutostart(other.get(), 0) == 0);
  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().code == hypervisor_errc::refused);
  CHECK(started.error().message.find("which nobody may: test; say") != std::string::npos);
  CHECK(refuse_autostart(x.outside.get()).has_value());
}
