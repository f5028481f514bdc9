#include "runtime/errors.hpp"
#include "runtime/telemetry/json_log.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <fstream>

using namespace novacron;

namespace {

namespace fs = std::filesystem;

/// A log of a file in a folder of its own.
struct logged {
  fs::path folder;
  log_section section;

  logged() {
    auto name = (fs::temp_directory_path() / "json-log.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    section.file = folder / "node.log";
  }
  ~logged() { fs::remove_all(folder); }

  [[nodiscard]] std::shared_ptr<json_log> open() const {
    auto log = open_json_log(section, "node-1");
    REQUIRE(log.has_value());
    return *log;
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::ifstream in{section.file};
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);)
      all.push_back(line);
    return all;
  }
};

} // namespace

TEST_CASE_FIXTURE(logged, "each line is one JSON object, whatever is in its texts") {
  auto log = open();
  const std::string text = "a \"quote\", a\nnew line, \x01 and \\";
  const log_field field{"vm", text};
  log->write(log_level::warning, "migration", text, {&field, 1});
  log->flush();
  REQUIRE(lines().size() == 1);
  const auto line = boost::json::parse(lines()[0]).as_object();
  CHECK(line.at("level").as_string() == "warning");
  CHECK(line.at("node").as_string() == "node-1");
  CHECK(line.at("module").as_string() == "migration");
  CHECK(line.at("message").as_string() == text);
  CHECK(line.at("vm").as_string() == text);
  CHECK(line.at("time").as_string().size() == std::string_view{"2026-01-31T12:00:00.000Z"}.size());
}

TEST_CASE_FIXTURE(logged, "what is below the level isn't written, and a text ends at 4 KiB") {
  section.level = "warning";
  auto log = open();
  log->write(log_level::info, "m", "too low", {});
  log->write(log_level::error, "m", std::string(100'000, 'x'), {});
  log->flush();
  REQUIRE(lines().size() == 1);
  CHECK(boost::json::parse(lines()[0]).at("message").as_string().size() == 4'096);
}

TEST_CASE_FIXTURE(logged, "a log never takes more than four files' room") {
  section.file_bytes = 2'000;
  auto log = open();
  for (int i = 0; i < 100; ++i) {
    log->write(log_level::info, "m", std::string(500, 'x'), {});
    log->flush();
  }
  log.reset();
  size_t files = 0;
  for (const auto& file : fs::directory_iterator{folder}) {
    ++files;
    CHECK(file.file_size() <= 2'000);
  }
  CHECK(files == 4);
}

TEST_CASE_FIXTURE(logged, "a log that can't be written says so, and what to do") {
  fs::create_directory(section.file);
  auto log = open_json_log(section, "node-1");
  REQUIRE(!log.has_value());
  CHECK(log.error().code == runtime_errc::folder);
  CHECK(log.error().message.find("choose another log.file") != std::string::npos);
}
