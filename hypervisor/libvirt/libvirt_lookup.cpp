// How our guests are found and looked at. What libvirt doesn't answer is a failure, never "it isn't
// there" or "it runs": guests are destroyed, resumed and started elsewhere by what is said here.

#include "hypervisor/libvirt/libvirt_driver.hpp"

#include <algorithm>
#include <libvirt/virterror.h>

namespace novacron {

namespace {

/// What libvirt didn't say of a domain; nothing was done to it.
failure unanswered(virDomain* domain, const std::string& what) {
  auto why = explain(virDomainGetConnect(domain), call_kind::reads, what);
  if (why.code != hypervisor_errc::no_such_guest)
    why.code = make_error_code(hypervisor_errc::unreachable);
  return why;
}

/// Nothing: the domain isn't one of ours. A failure doesn't say that.
result<std::optional<domain_metadata>> metadata_of(virDomain* domain, const std::string& what) {
  c_string element{
      virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, metadata_namespace, 0)};
  if (element)
    return parse_metadata(element.get());
  if (last_complaint().code == VIR_ERR_NO_DOMAIN_METADATA)
    return std::optional<domain_metadata>{};
  return unanswered(domain, what);
}

/// libvirt's list of domains, released as a whole.
class domain_list {
public:
  explicit domain_list(virConnect* connection)
      : count_{virConnectListAllDomains(connection, &domains_, 0)} {}
  domain_list(const domain_list&) = delete;
  domain_list& operator=(const domain_list&) = delete;
  ~domain_list() {
    for (int i = 0; i < count_; ++i)
      virDomainFree(domains_[i]);
    std::free(domains_);
  }

  [[nodiscard]] bool failed() const { return count_ < 0; }
  [[nodiscard]] virDomain** begin() const { return domains_; }
  [[nodiscard]] virDomain** end() const { return domains_ + std::max(count_, 0); }

private:
  virDomain** domains_ = nullptr;
  int count_ = 0;
};

} // namespace

bool is_incoming(virDomain* domain) {
  typed_params params;
  int type = 0;
  return virDomainGetJobStats(domain, &type, params.values_out(), params.count_out(), 0) != 0
         && last_complaint().code == VIR_ERR_OPERATION_UNSUPPORTED;
}

std::string libvirt_driver::failed_to(const char* what, vm_id vm) const {
  return std::string{"cannot "} + what + " guest " + to_string(vm);
}

result<our_domain> libvirt_driver::find_on(const connect_pointer& connection, vm_id vm,
                                           const char* what) {
  auto bytes = to_bytes(vm.value);
  our_domain found;
  found.connection = connection;
  found.domain.reset(virDomainLookupByUUID(connection.get(),
                                           reinterpret_cast<const unsigned char*>(bytes.data())));
  if (!found.domain)
    return explain(connection.get(), call_kind::reads, failed_to(what, vm));
  const auto answer = metadata_of(found.domain.get(), failed_to(what, vm));
  if (!answer)
    return answer.error();
  const auto& metadata = *answer;
  if (!metadata || metadata->host != config_.host || metadata->vm != vm)
    return make_failure(hypervisor_errc::no_such_guest,
                        failed_to(what, vm)
                            + ": the domain of that id is not this host's; look at it with virsh");
  found.metadata = *metadata;
  return found;
}

result<our_domain> libvirt_driver::find(libvirt_link& link, vm_id vm, const char* what) {
  auto connection = link.get();
  if (!connection)
    return connection.error();
  return find_on(*connection, vm, what);
}

result<guest_status> libvirt_driver::status_of(virDomain* domain, const domain_metadata& metadata,
                                               const char* what) {
  guest_status x{metadata.vm, metadata.epoch, guest_phase::running, false};
  int state = VIR_DOMAIN_NOSTATE;
  int reason = 0;
  if (virDomainGetState(domain, &state, &reason, 0) != 0)
    return unanswered(domain, failed_to(what, metadata.vm));
  switch (state) {
  case VIR_DOMAIN_SHUTOFF:
    return make_failure(hypervisor_errc::no_such_guest,
                        failed_to(what, metadata.vm) + ": it has just ended");
  case VIR_DOMAIN_PAUSED:
  case VIR_DOMAIN_PMSUSPENDED:
    x.phase = guest_phase::paused;
    if (reason != VIR_DOMAIN_PAUSED_USER && is_incoming(domain))
      x.phase = guest_phase::incoming;
    else
      x.migration_source = reason == VIR_DOMAIN_PAUSED_MIGRATION && !is_performing(metadata.vm);
    break;
  case VIR_DOMAIN_SHUTDOWN:
    x.phase = guest_phase::stopping;
    break;
  case VIR_DOMAIN_CRASHED:
    x.phase = guest_phase::crashed;
    break;
  default: {
    std::lock_guard guard{mutex_};
    if (asked_to_stop_.count(metadata.vm) != 0)
      x.phase = guest_phase::stopping;
  }
  }
  return x;
}

result<std::vector<guest_status>> libvirt_driver::list() {
  auto connection = watch_.link().get();
  if (!connection)
    return connection.error();
  domain_list domains{connection->get()};
  if (domains.failed())
    return explain(connection->get(), call_kind::reads, "cannot list guests");
  std::vector<guest_status> guests;
  for (auto* domain : domains) {
    const auto metadata = metadata_of(domain, "cannot list guests");
    if (metadata && (!*metadata || (*metadata)->host != config_.host))
      continue;
    const auto status = metadata ? status_of(domain, **metadata, "look at")
                                 : result<guest_status>{metadata.error()};
    // Who isn't in the list counts as gone: only libvirt's own word that it is may leave it out.
    if (!status && status.error().code != hypervisor_errc::no_such_guest)
      return status.error();
    if (status)
      guests.push_back(*status);
  }
  // A connection that broke on the way would make guests disappear from the list.
  if (virConnectIsAlive(connection->get()) != 1)
    return explain(connection->get(), call_kind::reads, "cannot list guests");
  // Who has ended isn't stopping any more, when a migration brings the VM back.
  std::lock_guard guard{mutex_};
  std::erase_if(asked_to_stop_, [&](vm_id vm) {
    return std::ranges::find(guests, vm, &guest_status::vm) == guests.end();
  });
  return guests;
}

} // namespace novacron
