// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/bridge_device.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "cni/plugins/bridge_plan.h"
#include "cni/plugins/neighbor_groups.h"
#include "linux/forwarding.h"
#include "linux/netlink/address.h"
#include "linux/sysctl.h"

namespace weft::cni {
namespace {

constexpr std::uint8_t kBridgeMac = 0x0a;  // locally administered

// The node's links go on accepting router advertisements; `bridge`, behind which are pods, does
// not.
Result<> enable_forwarding(IpFamily family, const std::string& bridge) {
  if (family == IpFamily::kIpv4) return ensure_sysctl(kIpv4Forwarding, "1");
  WEFT_ASSIGN(const auto present, read_sysctl(kIpv6Forwarding));
  if (present == "1") return {};
  WEFT_ASSIGN(const auto changes,
              keep_accepting_advertisements(std::array<std::string_view, 1>{bridge}));
  for (const SysctlChange& change : changes) WEFT_TRY(write_sysctl(change.key, change.after));
  return write_sysctl(kIpv6Forwarding, "1");
}

Outcome<netlink::Link> require_bridge(const netlink::Link& link) {
  if (std::holds_alternative<netlink::Bridge>(link.type)) return link;
  return fail(ErrorCode::kInvalidConfig,
              "bridge: \"" + link.name + "\" already exists but is not a bridge");
}

Result<> create_bridge(netlink::Socket& socket, const BridgeConfig& config) {
  netlink::Link link;
  link.name = config.bridge;
  link.type = netlink::Bridge{};
  link.mac = named_mac(kBridgeMac, config.bridge);
  link.mtu = config.mtu;
  link.up = true;
  netlink::Batch batch;
  put_link(batch, link);
  Result<> created = socket.run(batch);
  if (!created && created.error().code != EEXIST) return created;  // another ADD was first
  // Where the kernel has no IPv6 there are no advertisements to refuse.
  (void)ensure_sysctl("net/ipv6/conf/" + config.bridge + "/accept_ra", "0");
  return {};
}

bool in_the_way(const Prefix& present, const Prefix& gateway) {
  if (present.family() != gateway.family() || present.address.is_link_local()) return false;
  return gateway.family() == IpFamily::kIpv4 || present.contains(gateway.address) ||
         gateway.contains(present.address);
}

Outcome<> ensure_gateway(netlink::Socket& socket, const netlink::Link& bridge,
                         const BridgeConfig& config, const Prefix& gateway,
                         const std::vector<netlink::Address>& present) {
  const auto is_gateway = [&](const netlink::Address& address) {
    return address.prefix == gateway;
  };
  if (std::any_of(present.begin(), present.end(), is_gateway)) return {};
  netlink::Batch batch;
  for (const netlink::Address& address : present) {
    if (!in_the_way(address.prefix, gateway)) continue;
    if (!config.force_address)
      return fail(ErrorCode::kInternal,
                  "\"" + bridge.name + "\" already has an IP address different from " +
                      gateway.to_string() + ": " + address.prefix.to_string());
    put_address_removal(batch, address);
  }
  put_address(batch, {bridge.index, gateway});
  // A MAC that is set stays; a bridge otherwise takes its ports' lowest, and pods lose their
  // gateway.
  netlink::Link pinned;
  pinned.index = bridge.index;
  pinned.mac = bridge.mac;
  put_link_change(batch, pinned);
  CNI_TRY(socket.run(batch));
  CNI_TRY(enable_forwarding(gateway.family(), config.bridge));
  return wait_for_neighbor_groups(socket, {gateway.address});
}

}  // namespace

Outcome<netlink::Link> ensure_bridge(netlink::Socket& socket, const BridgeConfig& config) {
  CNI_ASSIGN(std::optional<netlink::Link> link, find_link(socket, config.bridge));
  if (!link) {
    CNI_TRY(create_bridge(socket, config));
    CNI_ASSIGN(link, find_link(socket, config.bridge));
    if (!link)
      return fail(ErrorCode::kInternal, "bridge \"" + config.bridge + "\" went as it was made");
  }
  return require_bridge(*link);
}

Outcome<> ensure_gateways(netlink::Socket& socket, const netlink::Link& bridge,
                          const BridgeConfig& config, const std::vector<Prefix>& gateways) {
  CNI_ASSIGN(const std::vector<netlink::Address> present, list_addresses(socket, bridge.index));
  for (const Prefix& gateway : gateways)
    CNI_TRY(ensure_gateway(socket, bridge, config, gateway, present));
  return {};
}

}  // namespace weft::cni
