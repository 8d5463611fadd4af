# How every target of this project is declared: one function for libraries, one for tests.

add_library(nngpcheck_options INTERFACE)
target_compile_features(nngpcheck_options INTERFACE cxx_std_20)
target_compile_options(nngpcheck_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
                       # GCC 12 warns inside std::string (its bugs 105651, and 105329 where headers are precompiled) and
                       # about temporaries that may throw.
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow>)
if(NNGPCHECK_WERROR)
  target_compile_options(nngpcheck_options INTERFACE -Werror)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What it asks for before it caches sources with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  target_compile_options(nngpcheck_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()

# nngpcheck_headers(<target> PUBLIC|INTERFACE <.hpp of this folder>...): headers are included as "nngpcheck/<folder>/<name>.hpp",
# here as where they are installed; here nngpcheck/ is a folder of links.
set(nngpcheck_include ${PROJECT_BINARY_DIR}/include)
function(nngpcheck_headers target scope)
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE folder)
  file(MAKE_DIRECTORY ${nngpcheck_include}/nngpcheck)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${nngpcheck_include}/nngpcheck/${folder} SYMBOLIC)
  list(TRANSFORM ARGN PREPEND ${nngpcheck_include}/nngpcheck/${folder}/)
  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS ${nngpcheck_include} FILES ${ARGN})
endfunction()

# Headers that most sources include are precompiled, once for all libraries: a quarter of their compile time.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/headers.cpp CONTENT "")
add_library(nngpcheck_precompiled OBJECT ${PROJECT_BINARY_DIR}/headers.cpp)
target_link_libraries(nngpcheck_precompiled PRIVATE nngpcheck_options Eigen3::Eigen)
target_precompile_headers(nngpcheck_precompiled PRIVATE <Eigen/Core> <algorithm> <cmath> <functional> <map> <memory>
                          <optional> <string> <variant> <vector>)

# nngpcheck_library(<name> SOURCES <.cpp>... HEADERS <public .hpp>... [DEPENDS <public libraries>...]
#                   [PRIVATE_DEPENDS <libraries>...] [TORCH])
# declares the library nngpcheck::<name> of the folder that says so. TORCH: it includes LibTorch.
function(nngpcheck_library name)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;HEADERS;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  set(target nngpcheck_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(nngpcheck::${name} ALIAS ${target})
  nngpcheck_headers(${target} PUBLIC ${arg_HEADERS})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} VERIFY_INTERFACE_HEADER_SETS ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PUBLIC ${arg_DEPENDS}
                        PRIVATE $<BUILD_INTERFACE:nngpcheck_options> ${arg_PRIVATE_DEPENDS})
  if(arg_TORCH)
    nngpcheck_use_torch(${target})
  else()
    target_precompile_headers(${target} REUSE_FROM nngpcheck_precompiled)
  endif()
endfunction()

set(nngpcheck_test_optimization $<$<CONFIG:Release>:-O1>)

# nngpcheck_test(<name> LABEL exact|seeded|statistical|long SOURCES <.cpp>... DEPENDS <libraries>... [TORCH] [PROCESSES <n>])
# declares one GoogleTest executable; each of its tests is a CTest test with that label. TORCH: it includes LibTorch.
# PROCESSES: its tests are run by so many processes, each a CTest test, <name>.1 and on. For executables that link LibTorch,
# whose start takes longer than most of their tests: half a second of CPU.
# Headers that most sources include are precompiled: nearly half of their compile time.
function(nngpcheck_test name)
  cmake_parse_arguments(arg "TORCH" "LABEL;PROCESSES" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} nngpcheck_options GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  if(arg_TORCH)
    nngpcheck_use_torch(${name})
  else()
    target_precompile_headers(${name} REUSE_FROM nngpcheck_test_headers)
  endif()
  target_compile_definitions(${name} PRIVATE NNGPCHECK_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
  # The time of a test is in the library and in compiling it.
  if(NOT arg_TORCH)
    target_compile_options(${name} PRIVATE ${nngpcheck_test_optimization})
  endif()
  if(arg_PROCESSES)
    foreach(process RANGE 1 ${arg_PROCESSES})
      math(EXPR index "${process} - 1")
      add_test(NAME ${name}.${process} COMMAND ${name} --gtest_brief=1)
      set_tests_properties(${name}.${process} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 600
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${arg_PROCESSES};GTEST_SHARD_INDEX=${index}")
    endforeach()
  else()
    gtest_discover_tests(${name} TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                         PROPERTIES LABELS ${arg_LABEL} TIMEOUT 600)
  endif()
endfunction()
