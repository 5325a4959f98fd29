// SPDX-License-Identifier: Apache-2.0
//
// Owns one libuv handle. uv_close() is asynchronous: libuv keeps using the memory until its close
// callback runs, a loop turn later. So the handle lives on the heap, the owner's destructor only
// starts the closing, and the close callback frees it. After that start no callback of the handle
// runs any more, and one that is running may destroy its own owner: the function it runs in is
// freed with the handle, later. Source: libuv 1.44, docs/src/handle.rst.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <utility>

#include "base/result.h"

namespace weft::loop {

template <class Uv, class... Args>
struct Handle {
  Uv uv{};
  std::function<void(Args...)> callback{};
};

struct CloseHandle {
  template <class Uv, class... Args>
  void operator()(Handle<Uv, Args...>* handle) const {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle->uv),
             [](uv_handle_t* uv) { delete static_cast<Handle<Uv, Args...>*>(uv->data); });
  }
};

template <class Uv, class... Args>
using OwnedHandle = std::unique_ptr<Handle<Uv, Args...>, CloseHandle>;

// Makes a handle that `init` (uv_timer_init, …) initialises; a failed one was never libuv's to
// close.
template <class Uv, class... Args, class Init>
Result<OwnedHandle<Uv, Args...>> make_handle(std::function<void(Args...)> callback, Init init) {
  auto handle = std::make_unique<Handle<Uv, Args...>>();
  handle->callback = std::move(callback);
  if (const int error = init(&handle->uv); error != 0) return fail_errno("event loop", -error);
  handle->uv.data = handle.get();
  return OwnedHandle<Uv, Args...>(handle.release());
}

}  // namespace weft::loop
