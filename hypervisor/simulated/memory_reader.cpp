#include "hypervisor/simulated/memory_reader.hpp"

#include "hypervisor/errors.hpp"
#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"

namespace novacron {

namespace {

using qemu_stream::section;

failure unexpected(const std::string& what) {
  return make_failure(hypervisor_errc::aborted,
                      "simulated migration stream: " + what + "; the migration is off");
}

/// Reads numbers and texts; remembers the first failure, after which all is zero.
class field_reader {
public:
  field_reader(stream_socket& stream, const std::atomic<bool>& stop)
      : stream_{stream}, stop_{stop} {}

  template <class Number>
  Number number() {
    std::array<std::byte, sizeof(Number)> bytes{};
    fill(bytes);
    Number x = 0;
    for (auto b : bytes)
      x = static_cast<Number>(static_cast<uint64_t>(x) << 8 | static_cast<uint64_t>(b));
    return x;
  }

  std::vector<std::byte> bytes(size_t count) {
    std::vector<std::byte> out(count);
    fill(out);
    return out;
  }

  void fill(std::span<std::byte> out) {
    if (!failed_)
      if (auto read = stream_.read(out, stop_); !read)
        failed_ = read.error();
  }

  void expect(bool holds, const char* what) {
    if (!holds && !failed_)
      failed_ = unexpected(std::string{what} + " is not as it must be");
  }

  [[nodiscard]] const std::optional<failure>& failed() const { return failed_; }

private:
  stream_socket& stream_;
  const std::atomic<bool>& stop_;
  std::optional<failure> failed_;
};

void read_sizes(field_reader& in, uint64_t total) {
  while (total > 0 && !in.failed()) {
    in.bytes(in.number<uint8_t>());
    auto size = in.number<uint64_t>();
    in.expect(size <= total && size > 0, "a block's size");
    total -= std::min(size, total);
  }
}

void read_ram(field_reader& in, guest_memory& memory) {
  while (!in.failed()) {
    auto word = in.number<uint64_t>();
    auto flags = word & (page_size - 1);
    auto value = word - flags;
    if ((flags & qemu_stream::ram_flag::end) != 0)
      return;
    if ((flags & qemu_stream::ram_flag::sizes) != 0) {
      in.expect(value == memory.size_bytes(), "the memory's size");
      read_sizes(in, value);
      continue;
    }
    if ((flags & qemu_stream::ram_flag::same_block) == 0)
      in.bytes(in.number<uint8_t>());
    in.expect(value < memory.size_bytes(), "a page's offset");
    if (in.failed())
      return;
    if ((flags & qemu_stream::ram_flag::zero) != 0) {
      in.number<uint8_t>();
      memory.clear(value / page_size);
    } else {
      in.expect((flags & qemu_stream::ram_flag::page) != 0, "a page's kind");
      memory.store(value / page_size, in.bytes(page_size));
    }
  }
}

void read_head(field_reader& in) {
  in.expect(in.number<uint32_t>() == qemu_stream::magic, "the magic number");
  in.expect(in.number<uint32_t>() == qemu_stream::version, "the version");
}

void read_ram_start(field_reader& in) {
  in.number<uint32_t>();
  in.bytes(in.number<uint8_t>());
  in.number<uint32_t>();
  in.expect(in.number<uint32_t>() == qemu_stream::ram_version, "the RAM section's version");
}

/// The rest after a device's section byte: the state, and that it ends there.
void read_device(field_reader& in, const std::string& guest, const guest_memory& memory) {
  auto id = in.number<uint32_t>();
  in.bytes(in.number<uint8_t>());
  in.number<uint64_t>();
  auto expected = simulated_device_state(guest, memory.digest());
  in.expect(in.bytes(expected.size()) == expected, "the memory's digest");
  in.expect(in.number<uint8_t>() == static_cast<uint8_t>(section::footer), "a footer");
  in.expect(in.number<uint32_t>() == id, "a footer's section");
}

} // namespace

std::vector<std::byte> simulated_device_state(const std::string& guest, uint64_t digest) {
  std::vector<std::byte> out;
  put_text(out, guest);
  put_big_endian(out, digest);
  return out;
}

result<void> read_memory(stream_socket& stream, const std::string& guest, guest_memory& memory,
                         const std::atomic<bool>& stop) {
  field_reader in{stream, stop};
  read_head(in);
  while (!in.failed()) {
    auto kind = static_cast<section>(in.number<uint8_t>());
    switch (kind) {
    case section::configuration:
      in.bytes(std::min<uint32_t>(in.number<uint32_t>(), page_size));
      break;
    case section::command:
      in.number<uint16_t>();
      in.bytes(in.number<uint16_t>());
      break;
    case section::start:
      read_ram_start(in);
      read_ram(in, memory);
      break;
    case section::part:
    case section::end:
      in.number<uint32_t>();
      read_ram(in, memory);
      break;
    case section::footer:
      in.number<uint32_t>();
      break;
    case section::full:
      read_device(in, guest, memory);
      break;
    case section::eof:
      return in.failed() ? result<void>{*in.failed()} : result<void>{};
    default:
      in.expect(false, "a section's kind");
    }
  }
  return *in.failed();
}

} // namespace novacron
