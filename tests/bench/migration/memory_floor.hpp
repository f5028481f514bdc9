#pragma once

#include <boost/json/object.hpp>
#include <filesystem>

namespace novacron::bench {

/// What a saved guest's memory holds, and the floor of moving it: its distinct
/// pages, each once, in one stream of zstd level 1 with a window of 128 MiB.
/// `nonzero_pages`, `zero_pages`, `distinct_pages`, `floor_bytes`.
boost::json::object describe_memory(const std::filesystem::path& state);

} // namespace novacron::bench
