// SPDX-License-Identifier: Apache-2.0
//
// The lab's nodes as a cluster sees them: the Node object, and the real `weft agent` that runs in
// the node's network namespace and a cgroup of its own, with its configuration, socket, log and
// state under nodes/<node>/. It outlives the command that started it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/control_plane/objects.h"
#include "lab/lab.h"

namespace weft::lab {

Json node_object(const NodePlan& node);

// The AgentConfiguration the lab writes; `overrides`, an object, is merged over its spec (RFC
// 7386).
Json agent_configuration(const Lab& lab, const NodePlan& node, const Json& overrides);

// Makes the node's directories and writes its configuration.
Result<> prepare_node(const Lab& lab, const NodePlan& node, const Json& overrides);

// Fails when one runs already.
Result<> start_agent(const Lab& lab, const std::string& node);
// SIGTERM, then, after `patience`, SIGKILL. Not running: success.
Result<> stop_agent(const Lab& lab, const std::string& node, std::chrono::milliseconds patience);
std::optional<pid_t> agent_pid(const Lab& lab, const std::string& node);

// Waits until every agent says that its kernel has all that the manifests say now; `progress` hears
// how many have. Fails with the agent's own words when one ends, refuses or takes too long; one
// that hangs costs no more than the time there is.
Result<> wait_until_written(const Lab& lab, const std::vector<std::string>& nodes,
                            std::chrono::milliseconds timeout,
                            const std::function<void(std::size_t written)>& progress = {});

bool has_node(const Lab& lab, const std::string& node);

// The last lines of a file, for error messages; "" where there is none.
std::string tail_of(const std::string& path, std::size_t lines);

// The weft binary itself, as a path that can be executed.
std::string own_binary();

}  // namespace weft::lab
