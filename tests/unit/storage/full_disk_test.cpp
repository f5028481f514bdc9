// A disk that is full while the database is open.

#include "child_case.hpp"
#include "storage/log/database.hpp"
#include "test_replica.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <random>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sys/resource.h>

using namespace novacron;

// Runs as a child of the next one.
TEST_CASE("(a flush that finds no room)" * doctest::skip()) {
  scratch_folder folder;
  auto opened = database::open(folder.path(), {{{1, 1}}, {{1, 2}}, 1, 0});
  REQUIRE(opened.has_value());
  auto& db = **opened;
  std::mt19937 luck{1};
  std::string noise(600'000, ' ');
  for (auto& c : noise)
    c = static_cast<char>(luck());
  rocksdb::WriteBatch batch;
  batch.Put(db.in(column::meta), "noise", noise);
  db.write(batch, database::durability::synced);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{300'000, 300'000}; // what is there is longer already, what is flushed will be
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK(!db.rocks().Flush({}, db.in(column::meta)).ok());
}

TEST_CASE("a flush that finds no room ends the process with the reason and the remedy") {
  scratch_folder folder;
  const auto end = run_case("(a flush that finds no room)", folder.path());
  CAPTURE(end.output);
  REQUIRE(WIFEXITED(end.status));
  CHECK(WEXITSTATUS(end.status) == disk_failure_status);
  CHECK(end.output.find("novacron: storage: cannot go on with " + folder.path().string())
        != std::string::npos);
  CHECK(end.output.find("free or replace the disk") != std::string::npos);
}
