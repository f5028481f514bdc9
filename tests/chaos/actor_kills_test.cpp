#include "actor_kills.hpp"

#include <doctest/doctest.h>

using namespace novacron::chaos;

TEST_CASE("actors of one vm or migration each are of one kind, whatever their ids") {
  CHECK(kind_of_actor("guests/vm-6f9619ff-8b86-d011-b42d-00c04fc964ff") == "guests/vm");
  CHECK(kind_of_actor("guests/migration-6f9619ff-8b86-d011-b42d-00c04fc964ff")
        == "guests/migration");
  CHECK(kind_of_actor("services/replica") == "services/replica");
  CHECK(kind_of_actor("host") == "host");
}
