// SPDX-License-Identifier: Apache-2.0
//
// Pods as a container runtime has them: a network namespace that real CNI plugins wire (called by
// exec, in the node's network namespace, with the configuration list that the node's agent wrote),
// a cgroup, and a supervisor process that starts the containers and writes down how they end. What
// was wired is recorded in pods/<id>.json before it is made, so that a killed command leaves
// nothing unknown behind.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/control_plane/objects.h"
#include "lab/kubelet/environment.h"
#include "lab/kubelet/pod_record.h"
#include "lab/lab.h"

namespace weft::lab {

// Wires the pod and starts it: its IPs, once its containers run. `pod` is scheduled. On failure
// nothing of it is left but the log.
struct StartedPod {
  PodRecord record{};
  std::vector<IpAddress> ips{};
};
Result<StartedPod> start_pod(const Lab& lab, const Json& pod, const Variables& services);

// Kills its processes, unwires it, and removes what the record names; again and again if need be.
Result<> remove_pod(const Lab& lab, const PodRecord& record);

// What is true of a pod's processes now.
struct PodState {
  bool running = false;            // every container's process lives
  bool initializing = false;       // init containers run, the others do not yet
  pid_t pid = 0;                   // of the first container that lives
  std::optional<int> exit_code{};  // of the first that ended
  std::string problem{};           // why it could not be started
  bool ended() const { return !running; }
};
PodState state_of(const PodRecord& record);

}  // namespace weft::lab
