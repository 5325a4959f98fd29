// SPDX-License-Identifier: Apache-2.0
// What the uapi headers call a netlink message type, for errors: "RTM_NEWLINK".
#pragma once

#include <cstdint>
#include <string>

namespace weft::netlink {

// `protocol`: NETLINK_ROUTE, NETLINK_NETFILTER. An unknown type gives "message type 123".
std::string message_name(int protocol, std::uint16_t type);

}  // namespace weft::netlink
