// SPDX-License-Identifier: Apache-2.0
// What both ends of the control socket need of unix(7), and the asking end.
#pragma once

#include <sys/un.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace weft::agent {

inline constexpr std::string_view kDefaultControlSocket = "/run/weft/agent.sock";

// `path` must be shorter than sun_path.
sockaddr_un socket_address(const std::string& path);

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
Result<std::string> ask_agent(const std::string& path, std::string_view method,
                              std::chrono::milliseconds patience = kLongestWork,
                              const Waiting& waiting = {});

// Asks for "uninstall" and waits until the agent's process has ended. One that ends without an
// answer (somebody stopped it) is an error, unless another one is there by then: that is asked.
Result<> uninstall_agent(const std::string& path, std::chrono::milliseconds patience = kLongestWork,
                         const Waiting& waiting = {});

}  // namespace weft::agent
