// SPDX-License-Identifier: Apache-2.0
//
// One probe: a connection or a datagram from a network namespace to an address, and what came of
// it. Many run at once on one poll loop: a socket belongs for life to the namespace it was made in,
// so this thread enters each only to make its sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "model/objects.h"

namespace weft::traffic {

struct Probe {
  std::string netns{};  // path of the client's namespace
  IpAddress address{};
  std::uint16_t port = 0;
  model::Protocol protocol = model::Protocol::kTcp;
};

struct Outcome {
  enum class Kind { kAnswered, kRefused, kFailed, kTimedOut };
  Kind kind = Kind::kTimedOut;
  std::string server{};  // who answered
  std::string seen{};    // the client's address as the server saw it
  int error = 0;         // kFailed: an errno
  std::chrono::milliseconds took{0};
  std::uint32_t retransmissions = 0;  // of TCP segments
};

// The outcomes, in the order of the probes. Each has `timeout` from when it began. `go_on` is asked
// every few milliseconds; its error ends them all.
Result<std::vector<Outcome>> run(const std::vector<Probe>& probes,
                                 std::chrono::milliseconds timeout,
                                 const std::function<Result<>()>& go_on = {});

}  // namespace weft::traffic
