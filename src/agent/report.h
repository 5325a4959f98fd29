// SPDX-License-Identifier: Apache-2.0
// The commands that ask a running agent, without their argument parsing: what to print, and the
// exit code (0 good, 1 the check failed or no agent answers).
#pragma once

#include <string>

namespace weft::agent {

struct Report {
  std::string text{};  // with its line breaks
  int exit_code = 0;
  bool to_stderr = false;
};

Report report_status(const std::string& socket, bool json);
Report report_verify(const std::string& socket, bool json);
Report report_repair(const std::string& socket, bool json);
Report report_uninstall(const std::string& socket);

}  // namespace weft::agent
