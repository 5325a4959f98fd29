// SPDX-License-Identifier: Apache-2.0
//
// The asking end of the control socket: `weft status`, `verify`, `uninstall` and the lab ask an
// agent with it. Blocking, each call with a connection of its own; any thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "control/message.h"

namespace weft::control {

// How long a request that reads or writes the kernel may take; and one that does not, however busy
// the agent is.
inline constexpr std::chrono::seconds kLongestWork{60};
inline constexpr std::chrono::seconds kBusyAgent{5};

// Connected; every operation on it (and connecting: the agent may have stopped to accept) blocks
// for at most `patience` and then fails with EAGAIN. Fails with ECONNREFUSED or ENOENT where no
// agent listens.
Result<UniqueFd> connect_to(const std::string& path,
                            std::chrono::milliseconds patience = kLongestWork);

// Whom to tell, once, that an answer takes longer than `after`: a sentence for the user of `weft`.
struct Waiting {
  std::chrono::milliseconds after = kBusyAgent;
  std::function<void(const std::string& sentence)> tell{};
};

// Sends one request and waits for its answer: the result as JSON text, or the agent's error. The
// message of every error is a sentence for the user of `weft`.
Result<std::string> ask_agent(const std::string& path, const Request& request,
                              std::chrono::milliseconds patience = kLongestWork,
                              const Waiting& waiting = {});

// Asks for "uninstall" and waits until the agent's process has ended. One that ends without an
// answer (somebody stopped it) is an error, unless another one is there by then: that is asked.
Result<> uninstall_agent(const std::string& path, std::chrono::milliseconds patience = kLongestWork,
                         const Waiting& waiting = {});

}  // namespace weft::control
