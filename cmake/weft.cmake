# SPDX-License-Identifier: Apache-2.0
# One folder is one library: weft_library(DEPS ...) makes `weft_<folder>` from the folder's sources
# (and those of its listed subfolders), and `<folder>_test` from the *_test.cpp files beside them.

add_library(weft_options INTERFACE)
target_compile_options(weft_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Werror)
target_include_directories(weft_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(weft_options INTERFACE tl::expected)

# What a test waits for is its compiler and the kernel, not its own code: it is not optimized.
add_library(weft_test_options INTERFACE)
target_link_libraries(weft_test_options INTERFACE weft_options GTest::gmock)
target_compile_options(weft_test_options INTERFACE
  $<$<CONFIG:Release>:-O0> $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # ccache asks for the latter

function(weft_library name)
  cmake_parse_arguments(ARG "" "" "DIRS;DEPS;TEST_DEPS" ${ARGN})
  set(patterns *.cpp)
  foreach(dir ${ARG_DIRS})
    list(APPEND patterns ${dir}/*.cpp)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  if(sources)
    add_library(weft_${name} STATIC ${sources})
    target_link_libraries(weft_${name} PUBLIC weft_options ${ARG_DEPS})
  else()
    add_library(weft_${name} INTERFACE)
    target_link_libraries(weft_${name} INTERFACE weft_options ${ARG_DEPS})
  endif()
  if(tests)
    weft_test(${name}_test SOURCES ${tests} DEPS weft_${name} ${ARG_TEST_DEPS})
  endif()
endfunction()

# What takes a compiler longest to read, read once for all tests.
add_library(weft_test_headers OBJECT ${CMAKE_CURRENT_LIST_DIR}/test_headers.cpp)
target_link_libraries(weft_test_headers PUBLIC weft_test_options)
target_precompile_headers(weft_test_headers PRIVATE
  <gmock/gmock.h> <gtest/gtest.h> <nlohmann/json.hpp>)

function(weft_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} weft_test_options GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM weft_test_headers)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" FIXTURES_REQUIRED sanitizer)
endfunction()
