// SPDX-License-Identifier: Apache-2.0
// `weft agent`: the agent from its configuration file to its end.
#pragma once

#include <string>

namespace weft::agent {

// The process's exit code: 0 after SIGTERM, SIGINT or an uninstall; 1 when it cannot start; 2 when
// the configuration is wrong.
int run(const std::string& config_path);

}  // namespace weft::agent
