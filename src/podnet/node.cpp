// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "podnet/addresses.h"
#include "podnet/derived_mac.h"
#include "podnet/masquerade.h"
#include "podnet/plan.h"
#include "tables/names.h"

namespace weft::podnet {

namespace {

using tables::AddressKind;
using tables::FileKind;
using tables::LinkKind;
using tables::SysctlKind;
using tables::TableChanges;

constexpr std::uint32_t kSmallestIpv6Mtu = 1280;  // RFC 8200 §5; a link with less has no IPv6

constexpr std::array<std::uint8_t, 16> kBridgeLinkLocal{0xfe, 0x80, 0, 0, 0, 0, 0, 0,
                                                        0,    0,    0, 0, 0, 0, 0, 1};

bool has_family(const model::Node& node, IpFamily family) {
  for (const Prefix& cidr : node.pod_cidrs)
    if (cidr.family() == family) return true;
  return false;
}

void plan_links(const Config& config, const model::Node& self, const Underlay& underlay,
                TableChanges& out) {
  const std::uint32_t mtu = pod_mtu(config, underlay);
  const std::string bridge(tables::kBridge);
  // A MAC of its own: a bridge without one takes its ports', and the pods' gateway would move.
  out.set<LinkKind>(
      bridge, {.type = netlink::Bridge{}, .mtu = mtu, .mac = derived_mac(0x58, underlay.address)});
  for (const Prefix& cidr : self.pod_cidrs)
    out.set<AddressKind>({bridge, {cidr.at(1), cidr.length}}, {});

  // Pods are sought (NDP) from a link-local address: the kernel's own is not usable until its
  // duplicate address detection ends, two seconds in which forwarded packets would be lost.
  if (has_family(self, IpFamily::kIpv6))
    out.set<AddressKind>({bridge, {IpAddress::from_bytes(kBridgeLinkLocal), 64}}, {});

  config.transport->plan_node({self.pod_cidrs, underlay, mtu}, out);
}

// That are this node's alone: the bridge and the transport's, where it has one.
std::vector<std::string_view> own_links(const Config& config) {
  std::vector<std::string_view> links{tables::kBridge};
  if (!config.transport->link().empty()) links.push_back(config.transport->link());
  return links;
}

void refuse_advertisements(std::string_view link, TableChanges& out) {
  out.set<SysctlKind>(fmt::format("net/ipv6/conf/{}/accept_ra", link), "0");
}

// Turning forwarding on turns it on for every link; this keeps it on for one of our own. Not for
// the underlay: its sysctl would be written, and saved, before the one that turns forwarding on,
// and a node that moves to another underlay would turn it off for the old one.
void plan_forwarding(const model::Node& self, std::string_view link, TableChanges& out) {
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6})
    if (has_family(self, family))
      out.set<SysctlKind>(
          fmt::format("net/ipv{}/conf/{}/forwarding", static_cast<int>(family), link), "1");
}

void plan_sysctls(const Config& config, const model::Node& self, const Underlay& underlay,
                  TableChanges& out) {
  // Replies between two pods of one bridge must meet conntrack, or a Service's address would never
  // be put back: hence bridge-nf-call.
  if (has_family(self, IpFamily::kIpv4)) {
    out.set<SysctlKind>("net/ipv4/ip_forward", "1");
    out.set<SysctlKind>("net/bridge/bridge-nf-call-iptables", "1");
    // A packet for a NodePort whose backend is on another node leaves by the link it came in by,
    // and the kernel would tell the client of the shorter way. Where NAT was at work conntrack
    // drops that redirect, but it has used up the one ICMP error a second that a client gets: a
    // closed port is not refused until the next. Either of the two sysctls allows redirects. IPv6
    // has none such; its redirects hold an error up for a tenth of a second at most.
    for (const std::string& link : {std::string("all"), underlay.link})
      out.set<SysctlKind>("net/ipv4/conf/" + link + "/send_redirects", "0");
  }
  if (has_family(self, IpFamily::kIpv6)) {
    out.set<SysctlKind>("net/ipv6/conf/all/forwarding", "1");
    out.set<SysctlKind>("net/bridge/bridge-nf-call-ip6tables", "1");
  }
  for (const std::string_view link : own_links(config)) plan_forwarding(self, link, out);
  // A pod must not become its node's router by saying so (CVE-2020-10749). A node that forwards
  // IPv6 would not listen; one whose pods have IPv4 alone would.
  if (!underlay.has_ipv6) return;
  for (const std::string_view link : own_links(config)) refuse_advertisements(link, out);
}

std::string cni_configuration(const Config& config, const model::Node& self, std::uint32_t mtu) {
  using Json = nlohmann::ordered_json;
  Json ranges = Json::array();
  for (const Prefix& cidr : self.pod_cidrs)
    ranges.push_back(Json::array({Json{{"subnet", cidr.network().to_string()}}}));
  Json ipam{{"type", "host-local"}, {"ranges", ranges}};
  if (!config.cni_data_directory.empty()) ipam["dataDir"] = config.cni_data_directory;
  const Json bridge{{"type", "bridge"},
                    {"bridge", tables::kBridge},
                    {"isDefaultGateway", true},
                    {"hairpinMode", true},
                    {"mtu", mtu},
                    {"ipam", ipam}};
  // Not 1.1.0: a runtime that takes it asks for STATUS and GC, which the plugins do not have yet.
  const Json list{{"cniVersion", "1.0.0"}, {"name", "weft"}, {"plugins", Json::array({bridge})}};
  return list.dump(2) + "\n";
}

// "1450 (eth0 has 1500, VXLAN takes 50)"
std::string mtu_text(const Config& config, const Underlay& underlay) {
  const Transport& transport = *config.transport;
  const std::string taken =
      transport.overhead() == 0
          ? ""
          : fmt::format(", {} takes {}", transport.title(), transport.overhead());
  return fmt::format("{} ({} has {}{})", pod_mtu(config, underlay), underlay.link, underlay.mtu,
                     taken);
}

// One pod CIDR that overlaps another of the node's, and which.
std::optional<std::pair<Prefix, Prefix>> find_overlap(const model::Node& node) {
  for (auto one = node.pod_cidrs.begin(); one != node.pod_cidrs.end(); ++one)
    for (auto other = node.pod_cidrs.begin(); other != one; ++other)
      if (one->contains(*other) || other->contains(*one)) return std::pair(*one, *other);
  return std::nullopt;
}

}  // namespace

std::uint32_t pod_mtu(const Config& config, const Underlay& underlay) {
  const std::uint32_t allowed = underlay.mtu - std::min(underlay.mtu, config.transport->overhead());
  return std::min(config.mtu.value_or(allowed), allowed);
}

std::vector<std::string> node_problems(const Config& config, const model::Node& self,
                                       const Underlay& underlay) {
  std::vector<std::string> problems = address_problems(*config.transport, self, {});
  for (const Prefix& cidr : self.pod_cidrs)
    if (!is_within(cidr, config.cluster_cidrs))
      problems.push_back(
          fmt::format("node {}: spec.podCIDRs: {} is outside clusterCIDRs of the "
                      "configuration: its pods are treated as outsiders",
                      self.name.name, cidr.to_string()));
  for (const Prefix& cidr : config.cluster_cidrs)
    if (const IpAddress* address = node_within(self, cidr))
      problems.push_back(fmt::format(
          "configuration: spec.clusterCIDRs: {} contains {}, this node's InternalIP: nodes in it "
          "are treated as pods, and what pods send to them is not masqueraded",
          cidr.to_string(), address->to_string()));
  const std::uint32_t mtu = pod_mtu(config, underlay);
  if (config.mtu && *config.mtu > mtu)
    problems.push_back(fmt::format("configuration: spec.podNetwork.mtu: {} is more than {}",
                                   *config.mtu, mtu_text(config, underlay)));
  if (has_family(self, IpFamily::kIpv6) && mtu < kSmallestIpv6Mtu)
    problems.push_back(fmt::format("node {}: IPv6 needs an MTU of {}, pods have {}", self.name.name,
                                   kSmallestIpv6Mtu, mtu_text(config, underlay)));
  return problems;
}

Result<> plan_node(const Config& config, const model::Node& self, const Underlay& underlay,
                   TableChanges& out) {
  if (self.pod_cidrs.empty())
    return fail(fmt::format("node {}: spec.podCIDRs is empty", self.name.name));
  for (const Prefix& cidr : self.pod_cidrs)
    if (address_bits(cidr.family()) - cidr.length < 2)
      return fail(fmt::format("node {}: spec.podCIDRs: {} has no room for pods", self.name.name,
                              cidr.to_string()));
  if (const auto overlap = find_overlap(self))
    return fail(fmt::format("node {}: spec.podCIDRs: {} overlaps {}", self.name.name,
                            overlap->first.to_string(), overlap->second.to_string()));
  for (const Prefix& cidr : self.pod_cidrs)
    if (const IpAddress* address = node_within(self, cidr))
      return fail(fmt::format("node {}: spec.podCIDRs: {} contains {}, the node's InternalIP",
                              self.name.name, cidr.to_string(), address->to_string()));
  if (const auto fit = config.transport->check(underlay); !fit)
    return fail(fmt::format("node {}: status.addresses: {}", self.name.name, fit.error().message));
  plan_links(config, self, underlay, out);
  plan_sysctls(config, self, underlay, out);
  if (config.masquerade) plan_masquerade(self.pod_cidrs, config.cluster_cidrs, out);
  if (!config.cni_configuration_directory.empty())
    out.set<FileKind>(
        config.cni_configuration_directory + "/" + std::string(tables::kCniConfigurationFile),
        cni_configuration(config, self, pod_mtu(config, underlay)));
  return {};
}

}  // namespace weft::podnet
