// SPDX-License-Identifier: Apache-2.0
// The commands that ask a running agent, without their argument parsing: what to print, and the
// exit code (0 good, 1 the check failed or no agent answers).
#pragma once

#include <string>

#include "control/client.h"

namespace weft::agent {

struct Report {
  std::string text{};  // with its line breaks
  int exit_code = 0;
  bool to_stderr = false;
};

Report report_status(const std::string& socket, bool json);
// These may take long; `waiting` is told when they do.
Report report_verify(const std::string& socket, bool json, const control::Waiting& waiting = {});
Report report_repair(const std::string& socket, bool json, const control::Waiting& waiting = {});
// Until what the sources hold now is in the kernel.
Report report_wait(const std::string& socket, std::chrono::seconds patience,
                   const control::Waiting& waiting = {});
Report report_uninstall(const std::string& socket, const control::Waiting& waiting = {});

}  // namespace weft::agent
