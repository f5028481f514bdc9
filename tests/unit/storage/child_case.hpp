#pragma once

#include <cstdio>
#include <doctest/doctest.h>
#include <filesystem>
#include <string>
#include <sys/wait.h>

namespace novacron {

struct child_end {
  int status = 0;
  std::string output;
};

/// Runs a case of this program that others skip, in a process of its own: it may end.
inline child_end run_case(const std::string& title, const std::filesystem::path& folder) {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto line = "TMPDIR='" + folder.string() + "' '" + program + "' --no-skip --test-case='"
                    + title + "' 2>&1";
  child_end out;
  FILE* pipe = ::popen(line.c_str(), "r"); // NOLINT(cert-env33-c): the line is ours
  REQUIRE(pipe != nullptr);
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
    out.output.push_back(static_cast<char>(c));
  out.status = ::pclose(pipe);
  return out;
}

} // namespace novacron
