# SPDX-License-Identifier: Apache-2.0
# One folder is one library: weft_library(DEPS ...) makes `weft_<folder>` from the folder's sources
# (and those of its listed subfolders), and `<folder>_test` from the *_test.cpp files beside them.

add_library(weft_options INTERFACE)
target_compile_options(weft_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Werror)
target_include_directories(weft_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(weft_options INTERFACE tl::expected)

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

function(weft_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" FIXTURES_REQUIRED sanitizer)
endfunction()
