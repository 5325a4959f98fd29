// SPDX-License-Identifier: Apache-2.0
#include "podnet/vxlan/transport.h"

#include "podnet/derived_mac.h"
#include "tables/names.h"

namespace weft::podnet {

namespace {

using tables::AddressKind;
using tables::FdbKind;
using tables::LinkKind;
using tables::NeighborKind;
using tables::RouteKind;
using tables::TableChanges;

constexpr std::uint32_t kOverhead = 50;  // outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14

}  // namespace

MacAddress vtep_mac(const IpAddress& internal_ip) { return derived_mac(0x57, internal_ip); }

std::uint32_t VxlanTransport::overhead() const { return kOverhead; }

std::string_view VxlanTransport::link() const { return tables::kVxlan; }

Result<> VxlanTransport::check(const Underlay& underlay) const {
  if (underlay.address.is_v4()) return {};
  return fail("VXLAN needs an IPv4 InternalIP, not " + underlay.address.to_string());
}

void VxlanTransport::plan_node(const LocalNode& node, TableChanges& out) const {
  const std::string vxlan(tables::kVxlan);
  out.set<LinkKind>(vxlan, {.type = netlink::Vxlan{.vni = tables::kVxlanVni,
                                                   .port = tables::kVxlanPort,
                                                   .local = node.underlay.address},
                            .lower = node.underlay.link,
                            .mtu = node.mtu,
                            .mac = vtep_mac(node.underlay.address)});
  for (const Prefix& cidr : node.pod_cidrs)
    out.set<AddressKind>({vxlan, Prefix::host(cidr.at(0))}, {});
}

void VxlanTransport::plan_route(const PeerRoute& route, const Underlay&, TableChanges& out) const {
  const std::string link(tables::kVxlan);
  const IpAddress vtep = route.pod_cidr.at(0);
  out.set<NeighborKind>({link, vtep}, {vtep_mac(route.remote)});
  out.set<RouteKind>({route.pod_cidr}, {.link = link, .gateway = vtep, .onlink = true});
}

void VxlanTransport::plan_remote(const IpAddress& remote, TableChanges& out) const {
  out.set<FdbKind>({std::string(tables::kVxlan), vtep_mac(remote)}, {remote});
}

}  // namespace weft::podnet
