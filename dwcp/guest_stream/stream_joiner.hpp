#pragma once

#include "messages/page_record.hpp"

#include <cstddef>
#include <vector>

namespace novacron {

/// Appends the bytes of the stream that `record` stands for. The inverse of
/// `stream_splitter`: all records in order give the stream.
inline void join(const page_record& record, std::vector<std::byte>& out) {
  out.insert(out.end(), record.header.begin(), record.header.end());
  out.insert(out.end(), record.bytes.begin(), record.bytes.end());
}

} // namespace novacron
