@0x83603099af44c836;

# Host to host, during a live migration: messages/peer.hpp. Memory never travels here.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("novacron::schema");

using Ids = import "ids.capnp";

struct PrepareMigration {
  migration @0 :Ids.Uuid;
  vm @1 :Ids.Uuid;
  epoch @2 :Ids.Epoch;
  domainXml @3 :Text;
  cookie @4 :Data;
}

struct MigrationPrepared {
  migration @0 :Ids.Uuid;
  cookie @1 :Data;
  pageAddress @2 :Text;
  token @3 :Data;  # 32 bytes, secret
}

struct MigrationPerformed {
  migration @0 :Ids.Uuid;
  cookie @1 :Data;
}
