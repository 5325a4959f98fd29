// SPDX-License-Identifier: Apache-2.0
// `weft lab`: a cluster of network namespaces on this machine.
#pragma once

#include <CLI/App.hpp>

// `exit_code` is what main returns: 0 good, 1 the check failed, 2 wrong use; of `lab exec` the
// command's own.
void add_lab_commands(CLI::App& app, int& exit_code);
