# SPDX-License-Identifier: Apache-2.0
# WEFT_SANITIZER=address, undefined or thread. A test sees little of the processes it starts: an agent's log goes with its
# lab, a plugin's stderr stays with its runtime. So each of them writes its reports into one directory (the options
# are compiled in, because the lab gives its processes an environment of their own), and the ctest entry
# sanitizer_reports, which runs after all others, fails if there is one.
set(WEFT_SANITIZER "" CACHE STRING "Sanitizer to build with: address, undefined, thread or none")
if(NOT WEFT_SANITIZER)
  return()
endif()

set(reports ${CMAKE_BINARY_DIR}/sanitizer_reports)
file(MAKE_DIRECTORY ${reports})

target_compile_options(weft_options INTERFACE
  -fsanitize=${WEFT_SANITIZER} -fno-sanitize-recover=all -fno-omit-frame-pointer)
target_compile_definitions(weft_options INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(weft_options INTERFACE -fsanitize=${WEFT_SANITIZER})

add_library(weft_sanitizer OBJECT cmake/sanitizer_options.cpp)
target_compile_definitions(weft_sanitizer PRIVATE WEFT_REPORTS="${reports}/report")
target_link_libraries(weft_options INTERFACE $<TARGET_OBJECTS:weft_sanitizer>)

add_test(NAME sanitizer_reports COMMAND python3 ${CMAKE_SOURCE_DIR}/tests/sanitizer_reports.py ${reports})
set_tests_properties(sanitizer_reports PROPERTIES FIXTURES_CLEANUP sanitizer)
