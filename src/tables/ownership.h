// SPDX-License-Identifier: Apache-2.0
//
// How drivers know ours from everybody else's: what carries these marks is read, compared and
// removed, and nothing else ever is. Whoever makes drivers says so (the agent in agent/drivers.cpp,
// a CNI plugin for the pod it wires); no driver knows a name or number by itself.
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::tables {

struct Ownership {
  // Links by name, whoever made them; with them their addresses, permanent neighbors and, of VXLAN
  // links, permanent FDB entries.
  std::vector<std::string> links{};
  // Routes and rules with this protocol number (RTPROT_UNSPEC: none); routes in these tables.
  std::uint8_t protocol = RTPROT_UNSPEC;
  std::vector<std::uint32_t> route_tables{RT_TABLE_MAIN};
  // The group of the veths that belong on a bridge of ours, and are put back there (0: none do).
  std::uint32_t port_group = 0;
  std::vector<std::string> nft_tables{};  // names, in the families ip, ip6 and inet
  // Sysctls of which it holds what they were before us, in this boot; files that it names.
  std::string state_directory{};
  std::vector<std::string> files{};  // paths; these too, whoever wrote them
};

}  // namespace weft::tables
