// SPDX-License-Identifier: Apache-2.0
//
// A container's environment and command as the kubelet makes them: the Services of its namespace as
// variables (REDIS_LEADER_SERVICE_HOST, …_SERVICE_PORT, …_PORT_6379_TCP_ADDR; the way before DNS,
// and the lab has no DNS), the spec's own env after them, and $(NAME) expanded in env, command and
// args, with $$ for a dollar. Source: kubernetes.io/docs "Accessing the Service", "Define dependent
// environment variables"; pkg/kubelet/envvars. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lab/control_plane/objects.h"
#include "lab/kubelet/workload.h"

namespace weft::lab {

using Variables = std::map<std::string, std::string>;

Variables service_variables(const ObjectStore::Objects& services, const std::string& name_space);

// `host_ip`: the node's address. Later variables may refer to earlier ones.
Variables container_variables(const Container& container, const Json& pod,
                              const std::string& host_ip, const Variables& services);

// An unknown $(NAME) stays as it is.
std::string expand(std::string_view text, const Variables& variables);

}  // namespace weft::lab
