// SPDX-License-Identifier: Apache-2.0
// What both ends of the control socket need of unix(7), and the asking end.
#pragma once

#include <sys/un.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace weft::agent {

inline constexpr std::string_view kDefaultControlSocket = "/run/weft/agent.sock";

// `path` must be shorter than sun_path.
sockaddr_un socket_address(const std::string& path);

// Connected, blocking. Fails with ECONNREFUSED or ENOENT where no agent listens.
Result<UniqueFd> connect_to(const std::string& path);

// Sends one request and waits for its answer: the result as JSON text, or the agent's error. The
// message of every error is a sentence for the user of `weft`.
Result<std::string> ask_agent(const std::string& path, std::string_view method,
                              std::chrono::milliseconds patience = std::chrono::seconds(60));

// Asks for "uninstall" and waits until the agent's process has ended.
Result<> uninstall_agent(const std::string& path,
                         std::chrono::milliseconds patience = std::chrono::seconds(60));

}  // namespace weft::agent
