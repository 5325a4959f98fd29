// SPDX-License-Identifier: Apache-2.0
// The plugins of this binary: what cmd/weft-cni dispatches to, each in a file of its own name.
#pragma once

#include <span>

#include "cni/plugin.h"

namespace weft::cni {

std::span<const Plugin> all_plugins();

// host-local (host_local.cpp): IPAM from ranges, kept in files.
Outcome<CniResult> host_local_add(const Request& request);
Outcome<> host_local_del(const Request& request);

// loopback (loopback.cpp): lo up.
Outcome<CniResult> loopback_add(const Request& request);
Outcome<> loopback_del(const Request& request);

// bridge (bridge.cpp): a veth pair between the pod and a bridge.
Outcome<CniResult> bridge_add(const Request& request);
Outcome<> bridge_del(const Request& request);

}  // namespace weft::cni
