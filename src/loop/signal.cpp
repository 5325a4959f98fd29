// SPDX-License-Identifier: Apache-2.0
#include "loop/signal.h"

namespace weft::loop {

Result<Signal> Signal::watch(Loop& loop, int number, std::function<void()> callback) {
  WEFT_ASSIGN(OwnedHandle<uv_signal_t> signal,
              make_handle<uv_signal_t>(std::move(callback), [&](uv_signal_t* uv) {
                return uv_signal_init(loop.uv(), uv);
              }));
  const auto on_signal = [](uv_signal_t* uv, int) {
    static_cast<Handle<uv_signal_t>*>(uv->data)->callback();
  };
  if (const int error = uv_signal_start(&signal->uv, on_signal, number); error != 0)
    return fail_errno("watch signal", -error);
  return Signal(std::move(signal));
}

}  // namespace weft::loop
