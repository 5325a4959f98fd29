// SPDX-License-Identifier: Apache-2.0
//
// The types of links in messages: what is inside IFLA_LINKINFO. Of link.cpp.
// Source: include/uapi/linux/if_link.h.
#pragma once

#include "linux/netlink/link.h"
#include "linux/netlink/message.h"

namespace weft::netlink {

// Else a pair has room for a queue a CPU, uses one, and waits two RCU grace periods for that.
void put_one_queue(Message& message);

// The kind and all attributes of the link's type; nothing of a monostate, which the kernel refuses.
void put_type(Message& message, const Link& link);

// The kind and the settings.
void put_type_settings(Message& message, const LinkType& type);

// The type of that kind; monostate where it is none that we know.
LinkType type_of(std::string_view kind);

// Reads IFLA_INFO_DATA into the link, which has its type's kind.
void parse_type_data(const Attribute& data, Link& link);

}  // namespace weft::netlink
