// SPDX-License-Identifier: Apache-2.0
//
// What `weft lab check` asks of a lab: its probe pods and Services, and every kind of path between
// them with the answer a Kubernetes cluster must give. On each node a `server` and a `client` pod;
// Service `probe` has all servers, `self-<node>` one, `empty` none; a server on the fabric stands
// for the world outside. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "document/document.h"
#include "lab/control_plane/objects.h"
#include "lab/lab.h"
#include "traffic/probe.h"

namespace weft::lab {

inline constexpr const char* kCheckNamespace = "weft-check";
inline constexpr std::uint16_t kProbePort = 8080;
inline constexpr const char* kFabricServer = "fabric";

std::vector<document::Document> check_objects(const Settings& settings);

struct CheckCase {
  std::string path{};  // "pod to ClusterIP"
  std::string from{};  // "client-node1"
  std::string to{};    // "probe 10.96.0.7:80"
  traffic::Probe probe{};
  bool refused = false;                // expected: refused at once; else:
  std::vector<std::string> servers{};  // who may answer
  std::vector<std::string> seen{};     // as which addresses the client may be seen
};

// Once the objects are there and have addresses. `netns_of`: path of a pod's namespace, by name.
std::vector<CheckCase> check_cases(const Lab& lab, const ObjectStore& store,
                                   const std::map<std::string, std::string>& netns_of);

}  // namespace weft::lab
