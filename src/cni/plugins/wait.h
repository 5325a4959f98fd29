// SPDX-License-Identifier: Apache-2.0
//
// Waiting for what the kernel does a moment after it has answered (it works off carrier changes and
// IPv6 group memberships in the background), so that a pod is reachable when ADD returns. Mostly it
// is done by the first look.
#pragma once

#include <chrono>
#include <thread>

#include "cni/error.h"

namespace weft::cni {

// Calls `check` (an Outcome<bool>) until it is true or about a second has passed: ADD goes on then,
// since a bridge that is switched off, for one, never forwards.
template <class Check>
Outcome<> wait_until(Check check) {
  using std::chrono::microseconds;
  constexpr microseconds kFirst{50};
  constexpr microseconds kLimit{1'000'000};
  microseconds waited{0};
  for (microseconds pause = kFirst;; pause *= 2) {
    CNI_ASSIGN(const bool done, check());
    if (done || waited >= kLimit) return {};
    std::this_thread::sleep_for(pause);
    waited += pause;
  }
}

}  // namespace weft::cni
