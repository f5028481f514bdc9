#include "report.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace novacron::bench {

namespace json = boost::json;

report::report(std::filesystem::path file, bool resume) : file_{std::move(file)} {
  if (!resume)
    return;
  std::ifstream in{file_};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  boost::system::error_code error;
  auto parsed = json::parse(text, error);
  if (!error && parsed.is_object())
    all_ = std::move(parsed.as_object());
}

void report::measure(const std::string& name, const std::function<json::value()>& step) {
  if (const auto* known = all_.if_contains(name);
      known && !(known->is_object() && known->as_object().contains("error"))) {
    std::printf("%-34s kept from the run before\n", name.c_str());
    return;
  }
  std::printf("%-34s …", name.c_str());
  std::fflush(stdout);
  const auto begin = std::chrono::steady_clock::now();
  try {
    put(name, step());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf("\r%-34s %6.1f s  %s\n", name.c_str(), took.count(),
                json::serialize(all_.at(name)).substr(0, 160).c_str());
  } catch (const std::exception& why) {
    ++failures_;
    put(name, json::object{{"error", why.what()}});
    std::printf("\r%-34s failed: %s\n", name.c_str(), why.what());
  }
  std::fflush(stdout);
}

void report::put(const std::string& name, json::value value) {
  all_[name] = std::move(value);
  save();
}

void report::save() const {
  auto fresh = file_;
  fresh += ".new";
  std::ofstream{fresh} << json::serialize(all_) << '\n';
  std::filesystem::rename(fresh, file_);
}

} // namespace novacron::bench
