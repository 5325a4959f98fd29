// SPDX-License-Identifier: Apache-2.0
//
// VXLAN (RFC 7348) over IPv4. A node has one VTEP: link weft.1, whose addresses are the .0 of its
// pod CIDRs and whose MAC follows from its IPv4 InternalIP, so that peers need nothing but the Node
// objects. Per pod CIDR of a peer one onlink route and one permanent neighbor, per peer one FDB
// entry: a packet for the peer's pods goes to the peer's VTEP address, whose MAC and outer address
// stand in the two tables. Nothing is learned and nothing flooded.
#pragma once

#include "podnet/transport.h"

namespace weft::podnet {

class VxlanTransport final : public Transport {
 public:
  std::string_view name() const override { return "vxlan"; }
  std::string_view title() const override { return "VXLAN"; }
  std::uint32_t overhead() const override;
  std::string_view link() const override;
  IpFamily outer_family(IpFamily) const override { return IpFamily::kIpv4; }
  Result<> check(const Underlay& underlay) const override;
  void plan_node(const LocalNode& node, tables::TableChanges& out) const override;
  void plan_route(const PeerRoute& route, const Underlay& underlay,
                  tables::TableChanges& out) const override;
  void plan_remote(const IpAddress& remote, tables::TableChanges& out) const override;
};

// A node's VTEP MAC, from its IPv4 InternalIP.
MacAddress vtep_mac(const IpAddress& internal_ip);

}  // namespace weft::podnet
