#pragma once

#include "hypervisor/hypervisor.hpp"
#include "messages/big_endian.hpp"

#include <concepts>
#include <span>
#include <type_traits>

namespace novacron {

/// The fields of what calls of `hypervisor` take and give, in the order in which
/// they travel; the same for writing and for reading.
template <class X, class T>
concept either = std::same_as<std::remove_const_t<X>, T>;

template <class Wire, class Kind>
void pass_fields(Wire& wire, id<Kind>& x) {
  wire(x.value.high, x.value.low);
}
template <class Wire, class Kind>
void pass_fields(Wire& wire, const id<Kind>& x) {
  wire(x.value.high, x.value.low);
}
template <class Wire, either<epoch> X>
void pass_fields(Wire& wire, X& x) {
  wire(x.timeline, x.number);
}
template <class Wire, either<guest_spec> X>
void pass_fields(Wire& wire, X& x) {
  wire(x.vm, x.name, x.epoch, x.ha, x.vcpus, x.memory_mib, x.kernel, x.initrd, x.kernel_arguments,
       x.console_log);
}
template <class Wire, either<guest_status> X>
void pass_fields(Wire& wire, X& x) {
  wire(x.vm, x.epoch, x.phase, x.migration_source);
}
template <class Wire, either<host_capacity> X>
void pass_fields(Wire& wire, X& x) {
  wire(x.vcpus, x.memory_mib);
}
template <class Wire, either<guest_statistics> X>
void pass_fields(Wire& wire, X& x) {
  wire(x.memory_mib, x.cpu_time);
}
template <class Wire, either<migration_offer> X>
void pass_fields(Wire& wire, X& x) {
  wire(x.domain_xml, x.cookie);
}
template <class Wire, either<prepare_request> X>
void pass_fields(Wire& wire, X& x) {
  wire(x.spec, x.offer, x.stream_socket);
}
template <class Wire, either<perform_request> X>
void pass_fields(Wire& wire, X& x) {
  wire(x.cookie, x.stream_socket); // the rest is nothing to a simulated guest
}
template <class Wire, either<migration_job> X>
void pass_fields(Wire& wire, X& x) {
  wire(x.memory_total_bytes, x.memory_processed_bytes, x.memory_remaining_bytes,
       x.dirty_pages_per_second, x.iteration, x.downtime);
}

/// Appends values: each number as a big-endian u64, texts and lists after their length.
class wire_writer {
public:
  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }

  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

private:
  template <class T>
  void put(const T& x) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>)
      put_big_endian(bytes_, static_cast<uint64_t>(x));
    else
      pass_fields(*this, x);
  }
  void put(const std::string& x) {
    put_big_endian(bytes_, static_cast<uint64_t>(x.size()));
    put_text(bytes_, x);
  }
  void put(const std::filesystem::path& x) { put(x.native()); }
  template <class Rep, class Period>
  void put(const std::chrono::duration<Rep, Period>& x) {
    put(x.count());
  }
  template <class T>
  void put(const std::vector<T>& list) {
    put(list.size());
    for (const auto& x : list)
      put(x);
  }

  std::vector<std::byte> bytes_;
};

/// Takes values off the front. What is missing is left as it was, and remembered.
class wire_reader {
public:
  explicit wire_reader(std::span<const std::byte> bytes) : rest_{bytes} {}

  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }

  /// All that was asked for was there, and nothing else.
  [[nodiscard]] bool complete() const { return !failed_ && rest_.empty(); }

private:
  std::span<const std::byte> take(uint64_t count) {
    failed_ = failed_ || count > rest_.size();
    if (failed_)
      return {};
    auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  template <class T>
  void get(T& x) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      if (auto taken = take(sizeof(uint64_t)); !taken.empty())
        x = static_cast<T>(get_big_endian<uint64_t>(taken));
    } else {
      pass_fields(*this, x);
    }
  }
  void get(std::string& x) {
    uint64_t size = 0;
    get(size);
    auto taken = take(size);
    x.assign(reinterpret_cast<const char*>(taken.data()), taken.size());
  }
  void get(std::filesystem::path& x) {
    std::string text;
    get(text);
    x = text;
  }
  template <class Rep, class Period>
  void get(std::chrono::duration<Rep, Period>& x) {
    Rep count{};
    get(count);
    x = std::chrono::duration<Rep, Period>{count};
  }
  template <class T>
  void get(std::vector<T>& list) {
    uint64_t size = 0;
    get(size);
    for (uint64_t i = 0; i < size && !failed_; ++i)
      get(list.emplace_back());
  }

  std::span<const std::byte> rest_;
  bool failed_ = false;
};

} // namespace novacron
