#include "messages/page_stream.hpp"

#include "messages/big_endian.hpp"

#include <utility>

namespace novacron {

namespace {

constexpr uint32_t ram_id = 2;    // what QEMU gives it on x86
constexpr uint32_t device_id = 3; // any other

} // namespace

std::vector<std::byte> qemu_stream::shut_message(uint32_t error) {
  std::vector<std::byte> out;
  put_big_endian(out, return_shut);
  put_big_endian(out, uint16_t{sizeof(error)});
  put_big_endian(out, error);
  return out;
}

stream_writer::stream_writer(std::vector<ram_block> blocks, bool return_path)
    : blocks_{std::move(blocks)}, return_path_{return_path} {
  // nop
}

void stream_writer::begin(std::string_view machine) {
  put_big_endian(out_, qemu_stream::magic);
  put_big_endian(out_, qemu_stream::version);
  out_.push_back(std::byte{static_cast<uint8_t>(qemu_stream::section::configuration)});
  put_big_endian(out_, static_cast<uint32_t>(machine.size()));
  put_text(out_, machine);
  if (return_path_) {
    out_.push_back(std::byte{static_cast<uint8_t>(qemu_stream::section::command)});
    put_big_endian(out_, qemu_stream::command_open_return_path);
    put_big_endian(out_, uint16_t{0});
  }
  section_head(qemu_stream::section::start);
  put_big_endian(out_, static_cast<uint8_t>(qemu_stream::ram_name.size()));
  put_text(out_, qemu_stream::ram_name);
  put_big_endian(out_, uint32_t{0});
  put_big_endian(out_, qemu_stream::ram_version);
  uint64_t total = 0;
  for (const auto& block : blocks_)
    total += block.size_bytes;
  put_big_endian(out_, total | qemu_stream::ram_flag::sizes);
  for (const auto& block : blocks_) {
    put_big_endian(out_, static_cast<uint8_t>(block.name.size()));
    put_text(out_, block.name);
    put_big_endian(out_, block.size_bytes);
  }
  end_part();
}

void stream_writer::begin_part() {
  section_head(qemu_stream::section::part);
}

void stream_writer::begin_last() {
  section_head(qemu_stream::section::end);
}

void stream_writer::page(uint32_t block, uint64_t offset, std::span<const std::byte> content) {
  page_head(block, offset, qemu_stream::ram_flag::page);
  out_.insert(out_.end(), content.begin(), content.end());
}

void stream_writer::zero_page(uint32_t block, uint64_t offset) {
  page_head(block, offset, qemu_stream::ram_flag::zero);
  out_.push_back(std::byte{0});
}

void stream_writer::end_part() {
  put_big_endian(out_, qemu_stream::ram_flag::end);
  footer();
}

void stream_writer::finish(std::span<const std::byte> device_state) {
  constexpr std::string_view name = "timer";
  out_.push_back(std::byte{static_cast<uint8_t>(qemu_stream::section::full)});
  put_big_endian(out_, device_id);
  put_big_endian(out_, static_cast<uint8_t>(name.size()));
  put_text(out_, name);
  put_big_endian(out_, uint32_t{0});
  put_big_endian(out_, uint32_t{1});
  out_.insert(out_.end(), device_state.begin(), device_state.end());
  out_.push_back(std::byte{static_cast<uint8_t>(qemu_stream::section::footer)});
  put_big_endian(out_, device_id);
  out_.push_back(std::byte{static_cast<uint8_t>(qemu_stream::section::eof)});
}

std::vector<std::byte> stream_writer::take() {
  return std::exchange(out_, {});
}

void stream_writer::section_head(qemu_stream::section kind) {
  current_.reset();
  out_.push_back(std::byte{static_cast<uint8_t>(kind)});
  put_big_endian(out_, ram_id);
}

void stream_writer::page_head(uint32_t block, uint64_t offset, uint64_t flag) {
  if (current_ == block) {
    put_big_endian(out_, offset | flag | qemu_stream::ram_flag::same_block);
    return;
  }
  current_ = block;
  const auto& name = blocks_.at(block).name;
  put_big_endian(out_, offset | flag);
  put_big_endian(out_, static_cast<uint8_t>(name.size()));
  put_text(out_, name);
}

void stream_writer::footer() {
  out_.push_back(std::byte{static_cast<uint8_t>(qemu_stream::section::footer)});
  put_big_endian(out_, ram_id);
}

} // namespace novacron
