// SPDX-License-Identifier: Apache-2.0
//
// IPv6 neighbors ask for an address in its solicited-node multicast group (RFC 4861 §7.2), which
// the kernel joins in the background after the address is there (net/ipv6/addrconf.c,
// addrconf_dad_work): until then nobody answers, and who asked tries again a second later.
#pragma once

#include <vector>

#include "base/address.h"
#include "cni/error.h"
#include "linux/netlink/socket.h"

namespace weft::cni {

// Waits (bounded) until the socket's namespace has joined the groups of the IPv6 ones among
// `addresses`.
Outcome<> wait_for_neighbor_groups(netlink::Socket& socket,
                                   const std::vector<IpAddress>& addresses);

IpAddress solicited_node_group(const IpAddress& address);  // RFC 4291 §2.7.1

}  // namespace weft::cni
