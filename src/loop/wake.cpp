// SPDX-License-Identifier: Apache-2.0
#include "loop/wake.h"

namespace weft::loop {

Result<Wake> Wake::make(Loop& loop, std::function<void()> callback) {
  WEFT_ASSIGN(auto async, make_handle<uv_async_t>(std::move(callback), [&](uv_async_t* uv) {
                return uv_async_init(loop.uv(), uv, [](uv_async_t* woken) {
                  static_cast<Handle<uv_async_t>*>(woken->data)->callback();
                });
              }));
  return Wake(std::move(async));
}

void Wake::send() const { uv_async_send(&async_->uv); }

}  // namespace weft::loop
