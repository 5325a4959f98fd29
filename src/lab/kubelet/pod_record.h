// SPDX-License-Identifier: Apache-2.0
//
// A pod as it is written down, pods/<id>.json, before anything of it is made: what the supervisor
// runs and what removal removes. Pure, but for load_records().
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/control_plane/objects.h"
#include "lab/lab.h"

namespace weft::lab {

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

}  // namespace weft::lab
