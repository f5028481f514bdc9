# Finds what novacron stands on, and refuses versions that are known to be wrong.

find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(CapnProto REQUIRED)
find_package(RocksDB REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED CONFIG)
find_package(doctest REQUIRED)
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)
pkg_check_modules(libzstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(libxxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(libvirt REQUIRED IMPORTED_TARGET libvirt)

# CAF ships no CMake files. 0.17 and 0.18 differ in nearly every interface.
find_path(CAF_INCLUDE_DIR caf/all.hpp REQUIRED)
file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" caf_version REGEX "^#define CAF_VERSION [0-9]+")
if(NOT caf_version MATCHES "CAF_VERSION 17[0-9][0-9]$")
  message(FATAL_ERROR "CAF 0.17 is needed, but ${CAF_INCLUDE_DIR} has \"${caf_version}\". "
                      "Debian 12's libcaf-dev is 0.17.6: run .ci/install")
endif()
foreach(part core io openssl)
  find_library(CAF_LIBRARY_${part} NAMES caf_${part} REQUIRED)
  add_library(caf::${part} UNKNOWN IMPORTED)
  set_target_properties(caf::${part} PROPERTIES
    IMPORTED_LOCATION "${CAF_LIBRARY_${part}}"
    INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
endforeach()
target_link_libraries(caf::core INTERFACE Threads::Threads)
target_link_libraries(caf::io INTERFACE caf::core)
target_link_libraries(caf::openssl INTERFACE caf::io OpenSSL::SSL)

# libraft before 0.22 loses committed entries (Debian 12 main has 0.15).
find_path(RAFT_INCLUDE_DIR raft.h REQUIRED)
find_library(RAFT_LIBRARY raft REQUIRED)
file(STRINGS "${RAFT_INCLUDE_DIR}/raft.h" raft_minor REGEX "^#define RAFT_VERSION_MINOR [0-9]+")
string(REGEX MATCH "[0-9]+$" raft_minor "${raft_minor}")
if(NOT raft_minor OR NOT raft_minor EQUAL 22)
  message(FATAL_ERROR "libraft 0.22 is needed: earlier ones lose committed entries, in later ones "
                      "others own what is passed. Debian 12 has it in backports: run .ci/install")
endif()
add_library(raft::raft UNKNOWN IMPORTED)
set_target_properties(raft::raft PROPERTIES
  IMPORTED_LOCATION "${RAFT_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${RAFT_INCLUDE_DIR}")
