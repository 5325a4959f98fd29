// SPDX-License-Identifier: Apache-2.0
//
// What runs beside each pod (`weft lab supervise RECORD`, in the pod's cgroup and network
// namespace): starts the init containers one after another, then the containers, each as PID 1 of a
// pid namespace of its own with private mounts, waits for them, and keeps their exit codes in the
// state file. It is there because the lab is no daemon: somebody must be the containers' parent.
// Nothing is restarted. The state file, replaced whole at every change, holds {"containers":
// [{name, pid, exitCode}]}, or {} while init containers run, or {"problem": "…"}.
#pragma once

#include <string>

#include "base/result.h"

namespace weft::lab {

// Closes stdout once the containers run or have failed to (or init containers run, which may take
// any time). Returns when all have ended.
Result<> supervise(const std::string& record_file);

}  // namespace weft::lab
