// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/bridge_plan.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "cni/plugins/pod_route.h"
#include "tables/names.h"

namespace weft::cni {
namespace {

constexpr std::uint32_t kPodInterface = 2;  // place in the result: bridge, host's end, pod's end

bool has_default_route(const CniResult& result, IpFamily family) {
  return std::any_of(result.routes.begin(), result.routes.end(), [&](const Route& route) {
    return route.gateway && route.destination == Prefix::default_route(family);
  });
}

std::optional<IpAddress> first_gateway(const CniResult& result, IpFamily family) {
  for (const IpConfig& ip : result.ips) {
    if (ip.gateway && ip.gateway->family() == family) return ip.gateway;
  }
  return std::nullopt;
}

tables::LinkKind::Value veth(const BridgeConfig& config, const PodNames& names) {
  tables::LinkKind::Value value;
  value.type = netlink::Veth{{names.ifname, names.pod_mac, config.mtu}};
  value.peer_netns = names.netns;
  value.mtu = config.mtu;
  value.mac = names.host_mac;
  value.master = config.bridge;
  // By its group the agent knows what belongs on its bridge; another's ports are none of those.
  if (config.bridge == tables::kBridge) value.group = tables::kPodLinkGroup;
  if (config.hairpin) value.hairpin = true;
  return value;
}

}  // namespace

std::string host_link_name(std::string_view container_id, std::string_view ifname,
                           unsigned attempt) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr int kLength = 8;
  std::string attachment = std::string(container_id).append("/").append(ifname);
  if (attempt != 0) attachment.append("/").append(std::to_string(attempt));
  const std::uint64_t hash = hash_of(attachment);
  std::string name = "veth";
  for (int i = kLength - 1; i >= 0; --i) name += kDigits[hash >> (4 * i) & 15];
  return name;
}

MacAddress pod_mac(const IpAddress& address) {
  MacAddress mac{{0x0a, 0x58, 0, 0, 0, 0}};
  const auto bytes = address.bytes();
  std::copy(bytes.end() - 4, bytes.end(), mac.bytes.begin() + 2);
  return mac;
}

MacAddress named_mac(std::uint8_t first, std::string_view host_link_name) {
  const std::uint64_t hash = hash_of(host_link_name);
  MacAddress mac{{first, 0, 0, 0, 0, 0}};
  for (std::size_t i = 1; i < mac.bytes.size(); ++i)
    mac.bytes[i] = static_cast<std::uint8_t>(hash >> (8 * i));
  return mac;
}

Outcome<CniResult> complete(CniResult ipam, const BridgeConfig& config) {
  if (ipam.ips.empty()) return fail(ErrorCode::kInternal, "IPAM plugin returned missing IP config");
  for (IpConfig& ip : ipam.ips) {
    const IpFamily family = ip.address.family();
    ip.interface = kPodInterface;
    if (!ip.gateway && config.is_gateway) ip.gateway = ip.address.at(1);
    if (config.is_default_gateway && !has_default_route(ipam, family))
      ipam.routes.push_back({.destination = Prefix::default_route(family), .gateway = ip.gateway});
  }
  if (config.dns != Dns{}) ipam.dns = config.dns;
  return ipam;
}

std::vector<Prefix> gateway_addresses(const CniResult& result) {
  std::vector<Prefix> addresses;
  for (const IpConfig& ip : result.ips) {
    if (ip.gateway) addresses.push_back({*ip.gateway, ip.address.length});
  }
  return addresses;
}

Outcome<PodTables> plan_pod(const BridgeConfig& config, const PodNames& names,
                            const CniResult& result) {
  PodTables tables;
  tables.host_links[names.host_link] = veth(config, names);
  tables.pod_links["lo"] = {};
  tables.pod_links[names.ifname] = {};
  for (const IpConfig& ip : result.ips) tables.pod_addresses[{names.ifname, ip.address}] = {};
  for (const Route& route : result.routes) {
    CNI_ASSIGN(const auto entry,
               pod_route(route, names.ifname, first_gateway(result, route.destination.family())));
    if (const auto [there, added] = tables.pod_routes.insert(entry);
        !added && there->second != entry.second)
      return fail(ErrorCode::kUnsupportedField, "routes: two ways to " +
                                                    route.destination.to_string() +
                                                    " of one priority are not supported by bridge");
  }
  return tables;
}

}  // namespace weft::cni
