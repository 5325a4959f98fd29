// SPDX-License-Identifier: Apache-2.0
#include "lab/interrupt.h"

#include <cerrno>

namespace weft::lab {
namespace {

volatile sig_atomic_t caught = 0;

void catch_signal(int) { caught = 1; }

}  // namespace

CatchInterrupts::CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = catch_signal;
  ::sigaction(SIGINT, &action, &interrupt_);
  ::sigaction(SIGTERM, &action, &terminate_);
}

CatchInterrupts::~CatchInterrupts() {
  ::sigaction(SIGINT, &interrupt_, nullptr);
  ::sigaction(SIGTERM, &terminate_, nullptr);
}

Result<> not_interrupted() {
  if (caught != 0) return fail("interrupted", EINTR);
  return {};
}

void forget_interrupts() { caught = 0; }

}  // namespace weft::lab
