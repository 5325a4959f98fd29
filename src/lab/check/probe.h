// SPDX-License-Identifier: Apache-2.0
//
// One probe: a connection or a datagram from a network namespace to an address, and what came of
// it. Many run at once on one poll loop: a socket belongs for life to the namespace it was made in,
// so this thread enters each only to make its sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "model/objects.h"

namespace weft::lab {

struct PathProbe {
  std::string netns{};  // path of the client's namespace
  IpAddress address{};
  std::uint16_t port = 0;
  model::Protocol protocol = model::Protocol::kTcp;
};

struct ProbeOutcome {
  enum class Kind { kAnswered, kRefused, kFailed, kTimedOut };
  Kind kind = Kind::kTimedOut;
  std::string server{};  // who answered
  std::string seen{};    // the client's address as the server saw it
  int error = 0;         // kFailed: an errno
  std::chrono::milliseconds took{0};
  std::uint32_t retransmissions = 0;  // of TCP segments
};

// The outcomes, in the order of the probes. Each has `timeout` from when it began.
Result<std::vector<ProbeOutcome>> run_probes(const std::vector<PathProbe>& probes,
                                             std::chrono::milliseconds timeout);

}  // namespace weft::lab
