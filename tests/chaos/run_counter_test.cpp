#include "run_counter.hpp"

#include <doctest/doctest.h>

using namespace novacron::chaos;

TEST_CASE("two runs of a vm that were there in both looks ran at the same time") {
  run_counter counter;
  const running_guest here{"a", "node-1", 3};
  const running_guest there{"a", "node-2", 4};
  CHECK(counter.add({here, there}, {here, there}).size() == 1);
  CHECK(counter.duplicates() == 1);
  CHECK(counter.add({here, there}, {here, there}).empty()); // known by now
  CHECK(counter.duplicates() == 1);
}

TEST_CASE("a guest that moved between two looks, or in one of them, ran once") {
  run_counter counter;
  const running_guest here{"a", "node-1", 3};
  const running_guest there{"a", "node-2", 4};
  CHECK(counter.add({here}, {there}).empty());
  CHECK(counter.add({here, there}, {there}).empty()); // seen here before it left
  CHECK(counter.add({here}, {here, there}).empty());
  CHECK(counter.duplicates() == 0);
}

TEST_CASE("other vms on other hosts are no duplicates, and a second process on one host is") {
  run_counter counter;
  const running_guest a{"a", "node-1", 3};
  const running_guest b{"b", "node-2", 3};
  CHECK(counter.add({a, b}, {a, b}).empty());
  const running_guest twin{"a", "node-1", 7};
  CHECK(counter.add({a, twin}, {a, twin}).size() == 1);
}
