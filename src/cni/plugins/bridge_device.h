// SPDX-License-Identifier: Apache-2.0
//
// The bridge itself. Where an agent runs it is there already, with the gateway addresses, and is
// left alone; only a bridge or gateway address that is missing is made here, forwarding with it.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "cni/plugins/bridge_config.h"
#include "linux/netlink/link.h"
#include "linux/netlink/socket.h"

namespace weft::cni {

// The bridge of this name, made if missing (up, with a MAC that ports do not change). Fails when
// the name is another kind of link's.
Outcome<netlink::Link> ensure_bridge(netlink::Socket& socket, const BridgeConfig& config);

// Fails when the bridge has another address in the way (any of IPv4, an overlapping one of IPv6),
// unless the configuration forces ours.
Outcome<> ensure_gateways(netlink::Socket& socket, const netlink::Link& bridge,
                          const BridgeConfig& config, const std::vector<Prefix>& gateways);

}  // namespace weft::cni
