#include "dwcp/codec/batch_decoder.hpp"
#include "dwcp/codec/batch_encoder.hpp"
#include "dwcp/guest_stream/stream_splitter.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/migration/zstd_stream.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace {

namespace json = boost::json;
using namespace novacron;
using namespace novacron::bench;

using bytes = std::vector<std::byte>;

constexpr double mebibyte = 1'048'576;
constexpr size_t piece = 256u << 10; // what a session reads at once
constexpr size_t everything = size_t{1} << 40;

/// Of this thread: what else the machine does costs little.
double cpu_now() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

bytes read_file(const std::filesystem::path& file) {
  bytes out(std::filesystem::file_size(file));
  std::ifstream in{file, std::ios::binary};
  if (!in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size())))
    throw std::runtime_error{"cannot read " + file.string()};
  return out;
}

/// One way to encode a stream.
struct encoding {
  std::string name;
  int level = 1;
  size_t store_bytes = 0;
};

struct figures {
  double encode_seconds = 0;
  double decode_seconds = 0;
  uint64_t encoded_bytes = 0;
  page_decisions decisions;
};

/// Splits, encodes, and decodes again; throws unless that gives the stream.
figures run(const bytes& stream, const encoding& how) {
  figures out;
  stream_splitter splitter;
  batch_encoder encoder{{}, how.store_bytes};
  plan_packer packer;
  batch_decoder decoder{{}, how.store_bytes};
  size_t checked = 0;
  const auto send = [&](double& since) {
    auto batch = encoder.seal();
    const auto packed = packer.pack(std::move(batch.plan), how.level);
    out.encode_seconds += cpu_now() - since;
    out.encoded_bytes += packed.payload.size();
    const auto begin = cpu_now();
    const auto decoded
        = decoder.decode({packed.codec, batch.raw_bytes, batch.chain}, packed.payload);
    out.decode_seconds += cpu_now() - begin;
    if (!decoded || checked + decoded->raw.size() > stream.size()
        || !std::ranges::equal(decoded->raw,
                               std::span{stream}.subspan(checked, decoded->raw.size())))
      throw std::runtime_error{"what was decoded is not what was encoded"};
    checked += decoded->raw.size();
    since = cpu_now();
  };
  auto since = cpu_now();
  const auto take = [&](const page_record& record) {
    encoder.add(record);
    if (encoder.full())
      send(since);
  };
  for (size_t at = 0; at < stream.size(); at += piece)
    splitter.push(std::span{stream}.subspan(at, std::min(piece, stream.size() - at)), take);
  splitter.finish(take);
  if (encoder.raw_bytes() > 0)
    send(since);
  if (checked != stream.size())
    throw std::runtime_error{"the stream is not whole"};
  out.decisions = encoder.decisions();
  return out;
}

json::object measure(const std::filesystem::path& file, size_t guest_bytes) {
  const auto stream = read_file(file);
  const auto mib = static_cast<double>(stream.size()) / mebibyte;
  json::object out{{"file", file.filename().string()}, {"bytes", stream.size()}};
  json::object ways;
  for (const int level : {1, 3}) {
    zstd_stream whole{level};
    const auto begin = cpu_now();
    whole.add(stream);
    const auto size = whole.finish();
    ways["zstd -" + std::to_string(level) + " --long=27"]
        = {{"bytes", size}, {"encode_mib_per_s", mib / (cpu_now() - begin)}};
  }
  std::vector<encoding> encodings;
  for (const int level : {1, 3}) {
    const auto name = "dwcp, level " + std::to_string(level);
    encodings.push_back({name + ", no store", level, 0});
    encodings.push_back({name + ", store of 10 %", level, guest_bytes / 10});
    encodings.push_back({name + ", store unbounded", level, everything});
  }
  for (const auto& how : encodings) {
    const auto x = run(stream, how);
    ways[how.name] = {{"bytes", x.encoded_bytes},
                      {"encode_mib_per_s", mib / x.encode_seconds},
                      {"decode_mib_per_s", mib / x.decode_seconds},
                      {"full", x.decisions.full},
                      {"same", x.decisions.same},
                      {"changed", x.decisions.changed},
                      {"zero", x.decisions.zero}};
  }
  out["ways"] = std::move(ways);
  return out;
}

std::string tables(const json::array& all) {
  std::string out
      = "# The codec on captured streams\n\nMiB of the stream a second of one core (its "
        "thread's CPU time); decoding verifies each batch.\n";
  for (const auto& one : all) {
    const auto& x = one.as_object();
    const auto size = x.at("bytes").to_number<double>();
    out += "\n## " + std::string{x.at("file").as_string()} + ", " + mebibytes(x.at("bytes"))
           + "\n\n| | MiB | ratio | × zstd -1 --long=27 | encode, MiB/s | decode, MiB/s | full / "
             "same / changed / zero pages |\n|---|---|---|---|---|---|---|\n";
    const auto& ways = x.at("ways").as_object();
    const auto whole = at(ways, {"zstd -1 --long=27", "bytes"}).to_number<double>();
    for (const auto& [name, value] : ways) {
      const auto& way = value.as_object();
      const auto encoded = way.at("bytes").to_number<double>();
      out += "| " + std::string{name} + " | " + number(json::value(encoded / mebibyte), 1) + " | "
             + number(json::value(size / encoded)) + " | " + number(json::value(encoded / whole))
             + " | " + number(way.at("encode_mib_per_s"), 0) + " | "
             + number(at(way, {"decode_mib_per_s"}), 0) + " | " + number(at(way, {"full"}), 0)
             + " / " + number(at(way, {"same"}), 0) + " / " + number(at(way, {"changed"}), 0)
             + " / " + number(at(way, {"zero"}), 0) + " |\n";
    }
  }
  return out;
}

} // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  std::filesystem::path report = "build/bench/codec.json";
  size_t guest_mib = 512;
  CLI::App app{"Measures the codec on captured streams, beside zstd on the whole of them"};
  app.add_option("files", files, "QEMU's streams, as bench_migration keeps them")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--report", report, "JSON; a table goes beside it")->capture_default_str();
  app.add_option("--guest-mib", guest_mib, "Memory that a store is a share of")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    json::array all;
    for (const auto& file : files)
      all.push_back(measure(file, guest_mib << 20));
    std::filesystem::create_directories(std::filesystem::absolute(report).parent_path());
    std::ofstream{report} << json::serialize(all) << '\n';
    const auto text = tables(all);
    auto beside = report;
    std::ofstream{beside.replace_extension(".md")} << text;
    std::printf("%s\n%s\n%s\n", text.c_str(), report.c_str(), beside.c_str());
    return 0;
  } catch (const std::exception& why) {
    std::fprintf(stderr, "codec_bench: %s\n", why.what());
    return 1;
  }
}
