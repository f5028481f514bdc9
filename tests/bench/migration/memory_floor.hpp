#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <vector>

namespace novacron::bench {

/// What a saved guest's memory holds, and the floor of moving it: its distinct
/// pages, each once, in one stream of zstd level 1 with a window of 128 MiB, but for those of
/// the guests that its destination has `seen`. `nonzero_pages`, `zero_pages`, `distinct_pages`,
/// `floor_bytes`.
boost::json::object describe_memory(const std::filesystem::path& state,
                                    const std::vector<std::filesystem::path>& seen = {});

/// The pages of a saved guest, but for those of zeros, one after the other: a file of
/// `dwcp/kept_memory`.
void write_pages(const std::filesystem::path& state, const std::filesystem::path& file);

} // namespace novacron::bench
