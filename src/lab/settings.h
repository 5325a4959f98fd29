// SPDX-License-Identifier: Apache-2.0
//
// What a lab was asked to be (lab.json), and the addresses that follow from it: a node's number
// says everything else about it. Pure, but for reading and writing lab.json.
//
//   fabric switch   172.31.0.0/16 and fd00:172:31::/64: the fabric has ::1, node N has ::N+10
//   fabric router   a /30 and a /64 for each node: the fabric has its .1, the node its .2
//   pods            10.244.N.0/24 and fd00:10:244:N::/64
//   Services        10.96.0.0/16 and fd00:10:96::/112
//
// Nodes always have an IPv4 address (the pod network's underlay), an IPv6 one when pods do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace weft::lab {

enum class Fabric { kSwitch, kRouter };

inline constexpr int kMostNodes = 250;
// Every node of a switch knows every other: the kernel's one neighbor table (1,024 entries for all
// namespaces) ends a larger one.
inline constexpr int kMostSwitchedNodes = 24;

struct Settings {
  std::string name{};
  int nodes = 3;
  std::string ip_family = "ipv4";   // ipv4, ipv6, dual
  std::string transport = "vxlan";  // vxlan, direct
  Fabric fabric = Fabric::kSwitch;
  std::string services = "nftables";

  bool operator==(const Settings&) const = default;
  bool has(IpFamily family) const;
  std::vector<IpFamily> families() const;  // of pods and Services; the first is the default one
};

// The error names the option and what it may be.
Result<> check(const Settings& settings);
Result<Fabric> parse_fabric(std::string_view text);
std::string_view to_string(Fabric fabric);

std::string to_json(const Settings& settings);
Result<Settings> settings_from_json(std::string_view text);

std::vector<Prefix> cluster_cidrs(const Settings& settings);
std::vector<Prefix> service_cidrs(const Settings& settings);

// One node's place on the fabric, per address family.
struct NodeLink {
  Prefix node{};    // eth0's address
  Prefix fabric{};  // the other end's; what the default route goes through
};

struct NodePlan {
  int number = 0;
  std::string name{};
  std::vector<NodeLink> links{};
  std::vector<Prefix> pod_cidrs{};
  std::vector<IpAddress> addresses() const;  // its InternalIPs
};
NodePlan plan_node(const Settings& settings, int number);
std::vector<NodePlan> plan_nodes(const Settings& settings);

// The switch's own addresses; a router has only those of its links.
std::vector<Prefix> switch_addresses(const Settings& settings);

}  // namespace weft::lab
