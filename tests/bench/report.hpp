#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <string>

namespace novacron::bench {

/// What has been measured, on the disk after each step: a run that was broken
/// off can be gone on with.
class report {
public:
  /// `resume`: keep what the file holds; else start anew.
  report(std::filesystem::path file, bool resume);

  /// Runs `step` and keeps its answer under `name`, unless there is one already.
  /// A step that throws is kept as {"error": …}, said, and tried again on resuming.
  void measure(const std::string& name, const std::function<boost::json::value()>& step);
  void put(const std::string& name, boost::json::value value);

  [[nodiscard]] const boost::json::object& all() const { return all_; }
  /// Steps of this run that failed.
  [[nodiscard]] int failures() const { return failures_; }

private:
  void save() const;

  std::filesystem::path file_;
  boost::json::object all_;
  int failures_ = 0;
};

/// The report as tables in Markdown.
std::string markdown_of(const boost::json::object& all);

} // namespace novacron::bench
