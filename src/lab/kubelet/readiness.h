// SPDX-License-Identifier: Apache-2.0
//
// Is a container ready? Its readinessProbe is asked as the kubelet asks it: tcpSocket and httpGet
// from the node's network namespace to the pod's address, exec inside the pod. A probe that is not
// yet answered is asked again at once, and neither periodSeconds nor initialDelaySeconds is heeded:
// a lab is for people who wait.
#pragma once

#include "lab/kubelet/pods.h"
#include "lab/kubelet/workload.h"
#include "lab/lab.h"

namespace weft::lab {

// Every container's probe succeeds (one without a probe is ready while it runs).
bool is_ready_now(const Lab& lab, const PodRecord& record, const PodState& state,
                  const PodSpec& spec, const std::vector<IpAddress>& ips);

}  // namespace weft::lab
