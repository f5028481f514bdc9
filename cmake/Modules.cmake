# One target per module. Warnings are errors; third-party headers are system headers.

add_library(novacron_flags INTERFACE)
target_compile_options(novacron_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror
  # GCC 12 sees uninitialised members in moved std::variants, optimised, where there are none.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
target_include_directories(novacron_flags INTERFACE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}")

# novacron_module(<name> LINK <targets...> [PRECOMPILE <headers...>])
# makes the library novacron_<name> from every source below this folder.
function(novacron_module name)
  cmake_parse_arguments(arg "" "" "LINK;PRECOMPILE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(novacron_${name} STATIC ${sources})
  target_link_libraries(novacron_${name} PUBLIC novacron_flags ${arg_LINK})
  if(arg_PRECOMPILE)
    target_precompile_headers(novacron_${name} PRIVATE ${arg_PRECOMPILE})
  endif()
endfunction()
