// SPDX-License-Identifier: Apache-2.0
// Finds the underlay: the link of this namespace that carries a node's InternalIP, its MTU, and
// whether there is IPv6 (Debian's ipv6.disable=1 leaves none).
#pragma once

#include <optional>

#include "base/result.h"
#include "linux/netlink/socket.h"
#include "podnet/underlay.h"

namespace weft::agent {

// Nothing when no link has the address. Reads addresses and links by `socket` (NETLINK_ROUTE).
Result<std::optional<podnet::Underlay>> find_underlay(netlink::Socket& socket,
                                                      const IpAddress& internal_ip);

}  // namespace weft::agent
