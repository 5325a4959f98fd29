// SPDX-License-Identifier: Apache-2.0
//
// SIGINT and SIGTERM as a question: whoever waits asks interrupted() each round and ends with an
// error, so that a half-made lab is taken down by the same code as after any failure.
#pragma once

#include <signal.h>

#include "base/result.h"

namespace weft::lab {

// The signals are caught while one of these stands.
class CatchInterrupts {
 public:
  CatchInterrupts();
  ~CatchInterrupts();
  CatchInterrupts(const CatchInterrupts&) = delete;
  CatchInterrupts& operator=(const CatchInterrupts&) = delete;

 private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
};

// Success, or the error "interrupted".
Result<> not_interrupted();

// From here on the signals caught so far do not count: for clearing up.
void forget_interrupts();

}  // namespace weft::lab
