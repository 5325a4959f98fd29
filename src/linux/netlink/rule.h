// SPDX-License-Identifier: Apache-2.0
//
// Policy routing rules over rtnetlink: which table a packet is looked up in.
// Source: include/uapi/linux/fib_rules.h, net/core/fib_rules.c.
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "linux/netlink/message.h"
#include "linux/netlink/rule_selector.h"
#include "linux/netlink/socket.h"

namespace weft::netlink {

struct Rule {
  RuleSelector selector{};
  std::uint32_t table = RT_TABLE_MAIN;
  std::uint8_t protocol = RTPROT_BOOT;
  bool operator==(const Rule&) const = default;
};

void put_rule(Batch& batch, const Rule& rule);          // EEXIST where it is there
void put_rule_removal(Batch& batch, const Rule& rule);  // ENOENT where there is none

// Those that look up a table; the kernel's own three (priorities 0, 32766, 32767) among them.
Result<std::vector<Rule>> list_rules(Socket& socket, IpFamily family);

Rule parse_rule(const MessageView& message);  // an RTM_NEWRULE or RTM_DELRULE

}  // namespace weft::netlink
