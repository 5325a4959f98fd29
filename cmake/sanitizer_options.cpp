// SPDX-License-Identifier: Apache-2.0
// What a sanitizer's runtime asks the program for (sanitizer.cmake says why it is compiled in).

#define WEFT_EACH "log_path=" WEFT_REPORTS ":log_exe_name=1:handle_abort=1:print_stacktrace=1"

extern "C" {
const char* __asan_default_options() {
  return WEFT_EACH
      ":detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1";
}
const char* __ubsan_default_options() { return WEFT_EACH; }
const char* __tsan_default_options() {
  return WEFT_EACH ":halt_on_error=1:second_deadlock_stack=1";
}
}
