// SPDX-License-Identifier: Apache-2.0
//
// Removing a link, for a process that ends soon. The kernel takes a link down, and with it a veth's
// other end, in a few hundred microseconds under its lock. Then it keeps whoever asked until an RCU
// barrier has passed, 5 to 40 ms in which nothing is left to see: it only frees memory
// (netdev_run_todo in net/core/dev.c). So a child process asks, and we do not wait for its answer.
//
// The child shares nothing with us but the socket, and ends after that barrier whatever becomes of
// us. We do not reap it, hence "ends soon": then it is init's, as container shims are.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "linux/netlink/socket.h"

namespace weft::netlink {

// Returns when the link is gone from its namespace and its other end from its own: their names are
// free, their addresses, routes and bridge ports removed. Removing what is not there is success.
// `socket` is a rtnetlink socket, subscribed to links from here on.
Result<> remove_link(Socket& socket, std::uint32_t index);

}  // namespace weft::netlink
