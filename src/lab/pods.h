// SPDX-License-Identifier: Apache-2.0
//
// Pods as a container runtime has them: a network namespace that real CNI plugins wire (called by
// exec, in the node's network namespace, with the configuration list that the node's agent wrote),
// a cgroup, and a supervisor process that starts the containers and writes down how they end. What
// was wired is recorded in pods/<id>.json before it is made, so that a killed command leaves
// nothing unknown behind.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/environment.h"
#include "lab/lab.h"
#include "lab/objects.h"

namespace weft::lab {

// pods/<id>.json: what the supervisor runs and what removal removes.
struct PodRecord {
  struct Command {
    std::string name{};  // the container's
    bool init = false;
    std::vector<std::string> argv{};
    std::vector<std::string> env{};
    std::string working_directory{};
  };
  ObjectName name{};
  std::string id{};  // 8 hex digits
  std::string node{};
  std::string netns{};  // the namespace's name; of the node for a pod on the host's network
  bool host_network = false;
  std::string hostname{};
  std::string cgroup{};
  std::string state_file{};
  std::string log_file{};
  std::vector<Command> commands{};
};

std::string to_json(const PodRecord& record);
Result<PodRecord> record_from_json(std::string_view text);

// By pod. A file that is no record (half written by nobody we know) is an error.
Result<std::map<ObjectName, PodRecord>> load_records(const Lab& lab);

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
