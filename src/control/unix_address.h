// SPDX-License-Identifier: Apache-2.0
// Where the control socket is, for both ends.
#pragma once

#include <sys/un.h>

#include <string>

#include "base/result.h"

namespace weft::control {

inline constexpr const char* kDefaultSocket = "/run/weft/agent.sock";

// The address of a path, as unix(7) has it. Fails with ENAMETOOLONG.
Result<sockaddr_un> unix_address(const std::string& path);

}  // namespace weft::control
