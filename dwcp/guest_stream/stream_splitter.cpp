#include "dwcp/guest_stream/stream_splitter.hpp"

#include "messages/big_endian.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace novacron {

namespace {

using qemu_stream::section;
namespace flag = qemu_stream::ram_flag;

constexpr size_t id_bytes = 4;
constexpr size_t head_bytes = 8;             // of a piece of memory
constexpr size_t max_blocks = 4096;          // QEMU has a dozen; more isn't a list of blocks
constexpr uint32_t max_machine_bytes = 1024; // a machine's name

constexpr uint8_t byte_of(section kind) {
  return static_cast<uint8_t>(kind);
}

/// Head of a section that starts the guest's memory, from its first byte.
constexpr size_t start_bytes = 1 + id_bytes + 1 + 3 + 4 + 4;
/// A footer, then the head of a section that goes on with the guest's memory.
constexpr size_t resume_bytes = 1 + id_bytes + 1 + id_bytes;

bool is_memory_start(std::span<const std::byte> x) {
  constexpr size_t name_at = 1 + id_bytes + 1;
  return std::to_integer<uint8_t>(x[0]) == byte_of(section::start)
         && std::to_integer<size_t>(x[name_at - 1]) == qemu_stream::ram_name.size()
         && std::ranges::equal(x.subspan(name_at, qemu_stream::ram_name.size()),
                               std::as_bytes(std::span{qemu_stream::ram_name}))
         && get_big_endian<uint32_t>(x.subspan(start_bytes - 4)) == qemu_stream::ram_version;
}

bool is_memory_resumed(std::span<const std::byte> x, uint32_t ram_id) {
  const auto kind = std::to_integer<uint8_t>(x[1 + id_bytes]);
  return std::to_integer<uint8_t>(x[0]) == byte_of(section::footer)
         && (kind == byte_of(section::part) || kind == byte_of(section::end))
         && get_big_endian<uint32_t>(x.subspan(resume_bytes - id_bytes)) == ram_id;
}

} // namespace

uint64_t split_statistics::all_opaque_bytes() const {
  return std::accumulate(opaque_bytes.begin(), opaque_bytes.end(), uint64_t{0});
}

void stream_splitter::push(std::span<const std::byte> input, const sink& out) {
  statistics_.bytes += input.size();
  buffer_.insert(buffer_.end(), input.begin(), input.end());
  while (at_ < buffer_.size()) {
    if (state_ == state::raw) {
      pass_raw(out);
      continue;
    }
    const auto outcome = parse(out);
    if (outcome == step::starved)
      break;
    if (outcome == step::unknown) {
      state_ = state::raw;
      raw_from_ = at_;
    }
  }
  compact();
}

void stream_splitter::finish(const sink& out) {
  emit_opaque(held_bytes(), opaque_reason::cut, out);
  compact();
}

stream_splitter::step stream_splitter::parse(const sink& out) {
  switch (state_) {
  case state::head:
    return parse_head(out);
  case state::top:
    return parse_top(out);
  case state::blocks:
    return parse_block(out);
  case state::memory:
    return parse_memory(out);
  case state::raw:
    break;
  }
  return step::unknown;
}

stream_splitter::step stream_splitter::parse_head(const sink& out) {
  why_raw_ = opaque_reason::not_a_stream;
  if (ahead().size() < head_bytes)
    return step::starved;
  if (get_big_endian<uint32_t>(ahead()) != qemu_stream::magic
      || get_big_endian<uint32_t>(ahead().subspan(4)) != qemu_stream::version)
    return step::unknown;
  emit_opaque(head_bytes, opaque_reason::framing, out);
  state_ = state::top;
  return step::done;
}

stream_splitter::step stream_splitter::parse_top(const sink& out) {
  why_raw_ = memory_complete_ ? opaque_reason::device_state : opaque_reason::unknown_section;
  const auto x = ahead();
  switch (static_cast<section>(x[0])) {
  case section::start:
    return parse_start(out);
  case section::part:
    return parse_part(out, false);
  case section::end:
    return parse_part(out, true);
  case section::command:
    return parse_command(out);
  case section::footer:
    if (x.size() < 1 + id_bytes)
      return step::starved;
    emit_opaque(1 + id_bytes, opaque_reason::framing, out);
    return step::done;
  case section::configuration: {
    if (x.size() < 5)
      return step::starved;
    const auto length = get_big_endian<uint32_t>(x.subspan(1));
    if (length > max_machine_bytes)
      return step::unknown;
    if (x.size() < 5 + length)
      return step::starved;
    emit_opaque(5 + length, opaque_reason::framing, out);
    return step::done;
  }
  default:
    return step::unknown;
  }
}

stream_splitter::step stream_splitter::parse_start(const sink& out) {
  if (ahead().size() < start_bytes)
    return step::starved;
  if (!is_memory_start(ahead()))
    return step::unknown;
  ram_id_ = get_big_endian<uint32_t>(ahead().subspan(1));
  emit_opaque(start_bytes, opaque_reason::framing, out);
  last_section_ = false;
  state_ = state::memory;
  return step::done;
}

stream_splitter::step stream_splitter::parse_part(const sink& out, bool last) {
  if (ahead().size() < 1 + id_bytes)
    return step::starved;
  if (ram_id_ != get_big_endian<uint32_t>(ahead().subspan(1)))
    return step::unknown;
  emit_opaque(1 + id_bytes, opaque_reason::framing, out);
  last_section_ = last;
  state_ = state::memory;
  return step::done;
}

stream_splitter::step stream_splitter::parse_command(const sink& out) {
  const auto x = ahead();
  if (x.size() < 5)
    return step::starved;
  const size_t length = get_big_endian<uint16_t>(x.subspan(3));
  // A length beyond what a piece may hold is let through as it comes.
  if (length > page_size)
    return step::unknown;
  if (x.size() < 5 + length)
    return step::starved;
  if (get_big_endian<uint16_t>(x.subspan(1)) == qemu_stream::command_open_return_path)
    wants_return_path_ = true;
  emit_opaque(5 + length, opaque_reason::framing, out);
  return step::done;
}

stream_splitter::step stream_splitter::parse_block(const sink& out) {
  why_raw_ = opaque_reason::unknown_section;
  const auto x = ahead();
  const auto length = std::to_integer<size_t>(x[0]);
  if (x.size() < 1 + length + 8)
    return step::starved;
  const auto size = get_big_endian<uint64_t>(x.subspan(1 + length));
  if (length == 0 || size > sizes_left_ || blocks_.size() >= max_blocks)
    return step::unknown;
  blocks_.push_back({{x.begin() + 1, x.begin() + 1 + static_cast<ptrdiff_t>(length)}, size});
  sizes_left_ -= size;
  emit_opaque(1 + length + 8, opaque_reason::framing, out);
  if (sizes_left_ == 0)
    state_ = state::memory;
  return step::done;
}

stream_splitter::step stream_splitter::parse_memory(const sink& out) {
  why_raw_ = opaque_reason::unknown_page;
  if (ahead().size() < head_bytes)
    return step::starved;
  const auto head = get_big_endian<uint64_t>(ahead());
  switch (head % page_size) {
  case flag::page:
  case flag::zero:
  case flag::page | flag::same_block:
  case flag::zero | flag::same_block:
    return parse_page(out, head);
  case flag::sizes:
    blocks_.clear();
    sizes_left_ = head - flag::sizes;
    state_ = sizes_left_ == 0 ? state::memory : state::blocks;
    emit_opaque(head_bytes, opaque_reason::framing, out);
    return step::done;
  case flag::end:
    if (head != flag::end)
      return step::unknown;
    memory_complete_ = memory_complete_ || last_section_;
    state_ = state::top;
    emit_opaque(head_bytes, opaque_reason::framing, out);
    return step::done;
  default:
    return step::unknown;
  }
}

stream_splitter::step stream_splitter::parse_page(const sink& out, uint64_t head) {
  const auto x = ahead();
  const uint64_t offset = head - head % page_size;
  const bool zero = (head & flag::zero) != 0;
  size_t header = head_bytes;
  auto index = current_;
  if ((head & flag::same_block) == 0) {
    if (x.size() < head_bytes + 1)
      return step::starved;
    const auto length = std::to_integer<size_t>(x[head_bytes]);
    header += 1 + length;
    if (x.size() < header)
      return step::starved;
    index = find_block(x.subspan(head_bytes + 1, length));
  }
  if (!index || *index >= blocks_.size() || blocks_[*index].size_bytes < page_size
      || offset > blocks_[*index].size_bytes - page_size)
    return step::unknown;
  const size_t whole = header + (zero ? 1 : page_size);
  if (x.size() < whole)
    return step::starved;
  if (zero && x[header] != std::byte{0})
    return step::unknown;
  current_ = index;
  count_round(*index, offset);
  page_record record{zero ? record_kind::zero_page : record_kind::page,
                     *index,
                     offset,
                     x.first(zero ? whole : header),
                     {}};
  if (!zero)
    record.bytes = x.subspan(header, page_size);
  ++(zero ? statistics_.zero_pages : statistics_.full_pages);
  at_ += whole;
  out(record);
  return step::done;
}

void stream_splitter::pass_raw(const sink& out) {
  emit_opaque(find_memory() - at_, why_raw_, out);
}

/// Where raw ends: after the first head of a section of memory that ends beyond
/// `at_`, or where the buffer does.
size_t stream_splitter::find_memory() {
  if (memory_complete_)
    return buffer_.size();
  const std::span<const std::byte> all{buffer_};
  for (size_t end = at_ + 1; end <= all.size(); ++end) {
    if (ram_id_ && end >= raw_from_ + resume_bytes) {
      const auto x = all.subspan(end - resume_bytes, resume_bytes);
      if (is_memory_resumed(x, *ram_id_)) {
        last_section_ = std::to_integer<uint8_t>(x[1 + id_bytes]) == byte_of(section::end);
        state_ = state::memory;
        return end;
      }
    }
    if (end >= raw_from_ + start_bytes) {
      const auto x = all.subspan(end - start_bytes, start_bytes);
      if (is_memory_start(x)) {
        ram_id_ = get_big_endian<uint32_t>(x.subspan(1));
        last_section_ = false;
        state_ = state::memory;
        return end;
      }
    }
  }
  return buffer_.size();
}

std::span<const std::byte> stream_splitter::ahead() const {
  return std::span{buffer_}.subspan(at_);
}

void stream_splitter::emit_opaque(size_t count, opaque_reason reason, const sink& out) {
  statistics_.opaque_bytes[static_cast<size_t>(reason)] += count;
  while (count > 0) {
    const auto some = std::min(count, max_opaque_bytes);
    page_record record;
    record.bytes = ahead().first(some);
    at_ += some;
    count -= some;
    out(record);
  }
}

std::optional<uint32_t> stream_splitter::find_block(std::span<const std::byte> name) {
  const auto found = std::ranges::find_if(
      blocks_, [&](const block& x) { return std::ranges::equal(x.name, name); });
  if (found != blocks_.end())
    return static_cast<uint32_t>(found - blocks_.begin());
  // The list of blocks may have been in a form that we don't know.
  if (name.empty() || blocks_.size() >= max_blocks)
    return std::nullopt;
  blocks_.push_back({{name.begin(), name.end()}, std::numeric_limits<uint64_t>::max()});
  return static_cast<uint32_t>(blocks_.size() - 1);
}

void stream_splitter::count_round(uint32_t block_index, uint64_t offset) {
  if (statistics_.rounds == 0 || block_index < last_block_
      || (block_index == last_block_ && offset < last_offset_))
    ++statistics_.rounds;
  last_block_ = block_index;
  last_offset_ = offset;
}

/// Drops what was handed out, but for the few bytes in which the head of a
/// section may have begun.
void stream_splitter::compact() {
  const size_t keep = state_ == state::raw ? std::min(at_ - raw_from_, start_bytes - 1) : 0;
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(at_ - keep));
  at_ = keep;
  raw_from_ = 0;
}

} // namespace novacron
