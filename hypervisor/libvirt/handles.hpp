#pragma once

#include <cstdlib>
#include <libvirt/libvirt.h>
#include <memory>

namespace novacron {

/// A connection to libvirtd. Shared by the calls that are under way on it: the
/// link may replace it while some of them still fail.
using connect_pointer = std::shared_ptr<virConnect>;

struct domain_release {
  void operator()(virDomain* domain) const { virDomainFree(domain); }
};
using domain_pointer = std::unique_ptr<virDomain, domain_release>;

struct c_release {
  void operator()(void* memory) const { std::free(memory); }
};
/// A string that libvirt allocated.
using c_string = std::unique_ptr<char, c_release>;

/// libvirt's list of named values.
class typed_params {
public:
  typed_params() = default;
  typed_params(const typed_params&) = delete;
  typed_params& operator=(const typed_params&) = delete;
  ~typed_params() { virTypedParamsFree(values_, count_); }

  /// False when memory is short.
  bool add(const char* name, const char* value) {
    return virTypedParamsAddString(&values_, &count_, &capacity_, name, value) == 0;
  }
  bool add(const char* name, int value) {
    return virTypedParamsAddInt(&values_, &count_, &capacity_, name, value) == 0;
  }

  [[nodiscard]] unsigned long long number(const char* name) const {
    unsigned long long wide = 0;
    if (virTypedParamsGetULLong(values_, count_, name, &wide) == 1)
      return wide;
    return 0;
  }

  [[nodiscard]] virTypedParameterPtr get() const { return values_; }
  [[nodiscard]] int count() const { return count_; }
  /// For calls that fill it.
  virTypedParameterPtr* values_out() { return &values_; }
  int* count_out() { return &count_; }

private:
  virTypedParameterPtr values_ = nullptr;
  int count_ = 0;
  int capacity_ = 0;
};

} // namespace novacron
