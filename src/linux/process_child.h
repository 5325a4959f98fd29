// SPDX-License-Identifier: Apache-2.0
//
// The child's half of start_process: from clone3 to execve. It runs in a copy of a process that may
// have had other threads, so it calls only async-signal-safe functions and allocates nothing:
// everything it reads is prepared before the clone. What fails is told to the parent as one Report
// through a pipe that execve closes.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "linux/process.h"

namespace weft::process {

enum class Step : int {
  kSession,
  kNamespaces,
  kNetns,
  kPrivateMounts,
  kProc,
  kTmpfs,
  kHostname,
  kStdio,
  kWorkingDirectory,
  kExec,
};

struct Report {
  Step step = Step::kExec;
  int error = 0;       // errno
  unsigned index = 0;  // which tmpfs
};

struct Child {
  const ProcessSpec* spec = nullptr;
  std::vector<char*> argv{};                 // null-terminated, into spec
  std::vector<char*> env{};                  // null-terminated, into spec
  std::vector<std::string> programs{};       // what to try to execute, in order
  std::vector<std::string> tmpfs_options{};  // one for each of spec->tmpfs
  UniqueFd netns{};
  UniqueFd namespaces_of{};  // pidfd
  UniqueFd root_of{};        // that process's root directory
  int report_fd = -1;
};

[[noreturn]] void run_child(const Child& child);

}  // namespace weft::process
