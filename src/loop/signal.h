// SPDX-License-Identifier: Apache-2.0
// Calls back, on the loop's thread and outside of signal context, when the process gets a signal.
#pragma once

#include <functional>

#include "loop/handle.h"
#include "loop/loop.h"

namespace weft::loop {

class Signal {
 public:
  static Result<Signal> watch(Loop& loop, int number, std::function<void()> callback);

 private:
  explicit Signal(OwnedHandle<uv_signal_t> signal) : signal_(std::move(signal)) {}
  OwnedHandle<uv_signal_t> signal_;
};

}  // namespace weft::loop
