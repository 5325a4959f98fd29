// SPDX-License-Identifier: Apache-2.0
//
// What a pod on a bridge is to look like, as table entries: the veth pair on the host, and in the
// pod its links, addresses and routes. Pure: ADD writes these entries, whoever checks compares
// them.
#pragma once

#include <string>
#include <string_view>

#include "base/address.h"
#include "cni/plugins/bridge_config.h"
#include "cni/result.h"
#include "tables/address.h"
#include "tables/link.h"
#include "tables/route.h"

namespace weft::cni {

// "veth" and 8 hexadecimal digits of the attachment; another `attempt` gives another name.
std::string host_link_name(std::string_view container_id, std::string_view ifname,
                           unsigned attempt);

// The pod's: 0a:58 and the last four bytes of its address. The address's next owner has the same
// MAC, so that no neighbor cache is ever wrong about it.
MacAddress pod_mac(const IpAddress& address);
// For a pod without address, and for the host's end: from the attachment's name. The host's ends
// begin with fe, above all others: a bridge with no MAC of its own takes the lowest of its ports'.
MacAddress named_mac(std::uint8_t first, std::string_view host_link_name);

// IPAM's result made the plugin's: missing gateways filled in (first address of the subnet), the
// default routes of isDefaultGateway added, all addresses on interface 2, DNS of the configuration.
// Fails when there is no address.
Outcome<CniResult> complete(CniResult ipam, const BridgeConfig& config);

// The gateway addresses the bridge is to have (isGateway): each gateway with its subnet's length.
std::vector<Prefix> gateway_addresses(const CniResult& result);

struct PodTables {
  tables::LinkKind::Table host_links{};  // the pair, by its host end
  tables::LinkKind::Table pod_links{};   // lo, and the interface: up
  tables::AddressKind::Table pod_addresses{};
  tables::RouteKind::Table pod_routes{};
};

struct PodNames {
  std::string host_link{};
  std::string ifname{};
  std::string netns{};  // path
  MacAddress host_mac{};
  MacAddress pod_mac{};
};

// Fails for a route with a bad value (pod_route.h), and (code 2) for several to one destination of
// one priority in one table.
Outcome<PodTables> plan_pod(const BridgeConfig& config, const PodNames& names,
                            const CniResult& result);

}  // namespace weft::cni
