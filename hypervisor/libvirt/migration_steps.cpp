#include "hypervisor/libvirt/migration_steps.hpp"

#include <dlfcn.h>
#include <libvirt/virterror.h>

namespace novacron::migration_steps {

namespace {

// The signatures of libvirt's src/libvirt_internal.h, unchanged since 1.1.0. Each mirrors an RPC
// procedure (REMOTE_PROC_DOMAIN_MIGRATE_*3_PARAMS), whose wire format libvirt promises to keep.
using begin_function = char*(virDomainPtr, virTypedParameterPtr, int, char** cookie_out,
                             int* cookie_out_size, unsigned flags);
using prepare_function
    = int(virConnectPtr, virTypedParameterPtr, int, const char* cookie, int cookie_size,
          char** cookie_out, int* cookie_out_size, char** uri_out, unsigned flags);
using perform_function
    = int(virDomainPtr, const char* destination, virTypedParameterPtr, int, const char* cookie,
          int cookie_size, char** cookie_out, int* cookie_out_size, unsigned flags);
using finish_function
    = virDomainPtr(virConnectPtr, virTypedParameterPtr, int, const char* cookie, int cookie_size,
                   char** cookie_out, int* cookie_out_size, unsigned flags, int cancelled);
using confirm_function = int(virDomainPtr, virTypedParameterPtr, int, const char* cookie,
                             int cookie_size, unsigned flags, int cancelled);

constexpr unsigned step_flags = VIR_MIGRATE_LIVE;
/// Percent of the processor's time that are taken from a guest that may be slowed down, at first
/// and with each second round that stalls; QEMU's own steps, 20 and 10, take more rounds than a
/// stalled migration is given.
constexpr int first_slowing = 50;
constexpr int further_slowing = 20;

struct step_functions {
  begin_function* begin = nullptr;
  prepare_function* prepare = nullptr;
  perform_function* perform = nullptr;
  finish_function* finish = nullptr;
  confirm_function* confirm = nullptr;
  std::string missing; ///< names, separated by blanks
};

template <class Function>
void look_up(Function*& out, const char* name, std::string& missing) {
  out = reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
  if (out == nullptr)
    missing += (missing.empty() ? "" : " ") + std::string{name};
}

const step_functions& functions() {
  static const step_functions found = [] {
    step_functions x;
    look_up(x.begin, "virDomainMigrateBegin3Params", x.missing);
    look_up(x.prepare, "virDomainMigratePrepare3Params", x.missing);
    look_up(x.perform, "virDomainMigratePerform3Params", x.missing);
    look_up(x.finish, "virDomainMigrateFinish3Params", x.missing);
    look_up(x.confirm, "virDomainMigrateConfirm3Params", x.missing);
    return x;
  }();
  return found;
}

/// A cookie that a step returned; may hold any bytes.
class cookie_out {
public:
  cookie_out() = default;
  cookie_out(const cookie_out&) = delete;
  cookie_out& operator=(const cookie_out&) = delete;
  ~cookie_out() { std::free(bytes); }

  [[nodiscard]] std::string text() const {
    return bytes != nullptr ? std::string(bytes, static_cast<size_t>(size)) : std::string{};
  }

  char* bytes = nullptr;
  int size = 0;
};

const char* bytes_of(const std::string& cookie) {
  return cookie.empty() ? nullptr : cookie.data();
}

int size_of(const std::string& cookie) {
  return static_cast<int>(cookie.size());
}

std::string self_check() {
  const auto& f = functions();
  if (!f.missing.empty())
    return "this libvirt lacks " + f.missing + "; install libvirt 1.1 or later of the distribution";
  // Without a connection each refuses at once, which shows that the call itself works.
  virResetLastError();
  if (f.prepare(nullptr, nullptr, 0, nullptr, 0, nullptr, nullptr, nullptr, 0) != -1)
    return "virDomainMigratePrepare3Params doesn't behave as it should; report this libvirt's "
           "version";
  virResetLastError();
  return {};
}

} // namespace

std::string problem() {
  static const std::string found = self_check();
  return found;
}

std::optional<migration_offer> begin(virDomain* domain) {
  cookie_out cookie;
  c_string xml{functions().begin(domain, nullptr, 0, &cookie.bytes, &cookie.size, step_flags)};
  if (!xml)
    return std::nullopt;
  return migration_offer{xml.get(), cookie.text()};
}

std::optional<std::string> prepare(virConnect* connection, const std::string& xml,
                                   const std::string& listen, const std::string& cookie) {
  typed_params params;
  if (!params.add(VIR_MIGRATE_PARAM_DEST_XML, xml.c_str())
      || !params.add(VIR_MIGRATE_PARAM_URI, ("unix://" + listen).c_str()))
    return std::nullopt;
  cookie_out out;
  char* uri_out = nullptr;
  int status = functions().prepare(connection, params.get(), params.count(), bytes_of(cookie),
                                   size_of(cookie), &out.bytes, &out.size, &uri_out, step_flags);
  std::free(uri_out);
  if (status != 0)
    return std::nullopt;
  return out.text();
}

std::optional<std::string> perform(virDomain* domain, const perform_request& request) {
  typed_params params;
  if (!params.add(VIR_MIGRATE_PARAM_URI, ("unix://" + request.stream_socket.native()).c_str()))
    return std::nullopt;
  const auto& cookie = request.cookie;
  unsigned flags = step_flags;
  if (request.may_slow) {
    flags |= VIR_MIGRATE_AUTO_CONVERGE;
    if (!params.add(VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL, first_slowing)
        || !params.add(VIR_MIGRATE_PARAM_AUTO_CONVERGE_INCREMENT, further_slowing))
      return std::nullopt;
  }
  cookie_out out;
  if (functions().perform(domain, nullptr, params.get(), params.count(), bytes_of(cookie),
                          size_of(cookie), &out.bytes, &out.size, flags)
      != 0)
    return std::nullopt;
  return out.text();
}

finished finish(virConnect* connection, const std::string& name, const std::string& cookie,
                bool cancelled) {
  typed_params params;
  if (!params.add(VIR_MIGRATE_PARAM_DEST_NAME, name.c_str()))
    return {};
  cookie_out out;
  finished x;
  x.domain.reset(functions().finish(connection, params.get(), params.count(), bytes_of(cookie),
                                    size_of(cookie), &out.bytes, &out.size, step_flags,
                                    cancelled ? 1 : 0));
  x.cookie = out.text();
  return x;
}

bool confirm(virDomain* domain, const std::string& cookie, bool cancelled) {
  return functions().confirm(domain, nullptr, 0, bytes_of(cookie), size_of(cookie), step_flags,
                             cancelled ? 1 : 0)
         == 0;
}

} // namespace novacron::migration_steps
