// SPDX-License-Identifier: Apache-2.0
// `weft agent`, and the commands that ask a running agent: status, verify, uninstall.
#pragma once

#include <CLI/App.hpp>

// `exit_code` is what main returns: 0 good, 1 the check failed, 2 wrong use.
void add_agent_commands(CLI::App& app, int& exit_code);
