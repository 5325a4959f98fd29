// SPDX-License-Identifier: Apache-2.0
#include "lab/world/topology.h"

#include <linux/netlink.h>

#include <fstream>

#include "linux/netlink/address.h"
#include "linux/netlink/link.h"
#include "linux/netlink/route.h"
#include "linux/netns.h"

namespace weft::lab {
namespace {

constexpr const char* kBridge = "fabric";
constexpr const char* kNodeLink = "eth0";
constexpr const char* kLoopback = "lo";
constexpr std::uint32_t kMtu = 1500;
constexpr std::uint64_t kFabricHost = 1;  // fe80::1
constexpr std::uint64_t kNodeHost = 2;    // fe80::2 is no node; node N has fe80::N+2

// Of the namespace the calling thread is in.
Result<> write_sysctl(const std::string& name, std::string_view value) {
  std::ofstream file("/proc/sys/" + name);
  file << value << std::flush;
  if (!file) return fail_errno("write sysctl " + name);
  return {};
}

// A router forwards; a switch passes frames and asks no packet filter about them.
Result<> set_fabric_sysctls(const Netns& fabric, const Settings& settings) {
  WEFT_ASSIGN(const auto inside, NetnsGuard::enter(fabric));
  if (settings.fabric == Fabric::kRouter) {
    WEFT_TRY(write_sysctl("net/ipv4/ip_forward", "1"));
    return write_sysctl("net/ipv6/conf/all/forwarding", "1");
  }
  for (const char* name :
       {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"}) {
    // Only there with br_netfilter; without it there is nothing to turn off.
    [[maybe_unused]] const auto written = write_sysctl(name, "0");
  }
  return {};
}

Result<std::uint32_t> index_of(netlink::Socket& socket, const char* link) {
  WEFT_ASSIGN(const auto found, netlink::find_link(socket, link));
  if (!found) return fail(std::string("link ") + link + ": is not there");
  return found->index;
}

netlink::Link up(std::string name) {
  netlink::Link link;
  link.name = std::move(name);
  link.up = true;
  return link;
}

// Forwarding needs a link-local address to ask for neighbors from, and the kernel's own is not
// usable for the second or two of its duplicate address detection.
void put_link_local(netlink::Batch& batch, std::uint32_t link, std::uint64_t host,
                    const Settings& settings) {
  if (!settings.has(IpFamily::kIpv6)) return;
  const Prefix network = *Prefix::parse("fe80::/64");
  netlink::put_address(batch, {link, {network.at(host), network.length}});
}

Result<> make_bridge(netlink::Socket& socket, const Settings& settings) {
  netlink::Link bridge = up(kBridge);
  bridge.type = netlink::Bridge{};
  bridge.mtu = kMtu;
  netlink::Batch links;
  netlink::put_link(links, bridge);
  WEFT_TRY(socket.run(links));
  WEFT_ASSIGN(const std::uint32_t index, index_of(socket, kBridge));
  netlink::Batch addresses;
  for (const Prefix& address : switch_addresses(settings)) {
    netlink::put_address(addresses, {index, address});
  }
  put_link_local(addresses, index, kFabricHost, settings);
  return socket.run(addresses);
}

// The pair is born in the fabric's namespace with its far end in the node's.
Result<> wire(netlink::Socket& fabric, const Settings& settings, const NodePlan& node,
              const Netns& node_netns) {
  netlink::Link link = up(node.name);
  link.mtu = kMtu;
  link.type = netlink::Veth{{.name = kNodeLink, .mtu = kMtu}};
  link.peer_netns = node_netns.fd();
  if (settings.fabric == Fabric::kSwitch) {
    WEFT_ASSIGN(link.master, index_of(fabric, kBridge));
  }
  netlink::Batch links;
  netlink::put_link(links, link);
  WEFT_TRY(fabric.run(links), "wire " + node.name);
  if (settings.fabric == Fabric::kSwitch) return {};

  WEFT_ASSIGN(const std::uint32_t index, index_of(fabric, node.name.c_str()));
  netlink::Batch addresses;
  for (const NodeLink& ends : node.links) netlink::put_address(addresses, {index, ends.fabric});
  put_link_local(addresses, index, kFabricHost, settings);
  return fabric.run(addresses);
}

Result<> address_node(netlink::Socket& socket, const Settings& settings, const NodePlan& node) {
  netlink::Batch links;
  netlink::put_link_change(links, up(kLoopback));
  netlink::put_link_change(links, up(kNodeLink));
  WEFT_TRY(socket.run(links));
  WEFT_ASSIGN(const std::uint32_t eth0, index_of(socket, kNodeLink));
  netlink::Batch batch;
  for (const NodeLink& ends : node.links) {
    netlink::put_address(batch, {eth0, ends.node});
    netlink::Route route;
    route.destination = Prefix::default_route(ends.node.family());
    route.link = eth0;
    route.gateway = ends.fabric.address;
    netlink::put_route(batch, route);
  }
  put_link_local(batch, eth0, kNodeHost + static_cast<std::uint64_t>(node.number), settings);
  return socket.run(batch);
}

}  // namespace

Result<> make_fabric(const LabNames& names, const Settings& settings) {
  WEFT_ASSIGN(const Netns netns, create_named_netns(names.fabric_netns()));
  WEFT_TRY(set_fabric_sysctls(netns, settings));
  WEFT_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_ROUTE, netns));
  netlink::Batch loopback;
  netlink::put_link_change(loopback, up(kLoopback));
  WEFT_TRY(socket.run(loopback), "fabric");
  if (settings.fabric == Fabric::kSwitch) WEFT_TRY(make_bridge(socket, settings), "fabric");
  return {};
}

Result<> make_node(const LabNames& names, const Settings& settings, const NodePlan& node) {
  WEFT_ASSIGN(const Netns fabric_netns, Netns::open(named_netns_path(names.fabric_netns())));
  WEFT_ASSIGN(const Netns node_netns, create_named_netns(names.node_netns(node.name)));
  WEFT_ASSIGN(netlink::Socket fabric, netlink::Socket::open(NETLINK_ROUTE, fabric_netns));
  WEFT_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_ROUTE, node_netns));
  WEFT_TRY(wire(fabric, settings, node, node_netns));
  WEFT_TRY(address_node(socket, settings, node), node.name);
  return {};
}

}  // namespace weft::lab
