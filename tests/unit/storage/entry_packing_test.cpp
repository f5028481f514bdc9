#include "storage/local/entry_packing.hpp"
#include "tests/unit/messages/random_messages.hpp"

#include <doctest/doctest.h>

using namespace novacron;

TEST_CASE("what commands take in an entry is known, without encoding them, to a tenth") {
  random_messages random{1};
  for (int i = 0; i < 20'000; ++i) {
    command_batch batch;
    batch.commands.resize(1 + random.up_to(4));
    for (auto& each : batch.commands)
      random.fill(each);
    const auto size = encode(batch).size();
    const auto guess = approximate_size(batch.commands);
    CAPTURE(batch.commands[0].body.index());
    CAPTURE(batch.commands.size());
    CHECK(size <= guess + guess / 10);
    CHECK(guess <= 4 * size);
  }
}
