// SPDX-License-Identifier: Apache-2.0
//
// `weft lab exec`: a command in a pod (its network, mount, pid and UTS namespaces, its cgroup, its
// first container's environment) or on a node (its network namespace alone: cgroups and BPF stay in
// sight). Stdin, stdout and stderr pass through.
#pragma once

#include <string>
#include <vector>

#include "lab/lab.h"
#include "model/objects.h"

namespace weft::lab {

// The command's exit status as a shell gives it.
Result<int> exec_in_pod(const Lab& lab, const model::ObjectName& pod,
                        const std::vector<std::string>& command);
Result<int> exec_on_node(const Lab& lab, const std::string& node,
                         const std::vector<std::string>& command);

}  // namespace weft::lab
