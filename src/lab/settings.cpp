// SPDX-License-Identifier: Apache-2.0
#include "lab/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "document/json.h"
#include "document/reading.h"
#include "lab/names.h"

namespace weft::lab {
namespace {

Prefix prefix(const char* text) { return *Prefix::parse(text); }

constexpr std::uint64_t kFirstSwitchHost = 10;  // node N has .N+10
constexpr std::uint8_t kRouterLinkBits = 30;
constexpr std::uint8_t kPodCidrBits4 = 24;
constexpr std::uint8_t kNetworkBits6 = 64;

Prefix fabric_network(IpFamily family) {
  return prefix(family == IpFamily::kIpv4 ? "172.31.0.0/16" : "fd00:172:31::/64");
}

Prefix cluster_cidr(IpFamily family) {
  return prefix(family == IpFamily::kIpv4 ? "10.244.0.0/16" : "fd00:10:244::/56");
}

Prefix service_cidr(IpFamily family) {
  return prefix(family == IpFamily::kIpv4 ? "10.96.0.0/16" : "fd00:10:96::/112");
}

// The number-th /64 at `network`: fd00:10:244:N::/64.
Prefix subnet6(const Prefix& network, int number) {
  std::array<std::uint8_t, 16> bytes{};
  const IpAddress first = network.network().address;
  std::ranges::copy(first.bytes(), bytes.begin());
  bytes[7] = static_cast<std::uint8_t>(bytes[7] + number);
  return {IpAddress::from_bytes(bytes), kNetworkBits6};
}

NodeLink switch_link(IpFamily family, std::uint64_t number) {
  const Prefix network = fabric_network(family);
  return {{network.at(number + kFirstSwitchHost), network.length}, {network.at(1), network.length}};
}

NodeLink router_link(IpFamily family, int number) {
  const Prefix network =
      family == IpFamily::kIpv4
          ? Prefix{fabric_network(family).at(4 * static_cast<std::uint64_t>(number)),
                   kRouterLinkBits}
          : subnet6(fabric_network(family), number);
  return {{network.at(2), network.length}, {network.at(1), network.length}};
}

Prefix pod_cidr(IpFamily family, int number) {
  const Prefix cluster = cluster_cidr(family);
  if (family == IpFamily::kIpv6) return subnet6(cluster, number);
  return {cluster.at(256 * static_cast<std::uint64_t>(number)), kPodCidrBits4};
}

// The nodes' families: IPv4 always, IPv6 as pods have it.
std::vector<IpFamily> underlay_families(const Settings& settings) {
  std::vector<IpFamily> families = {IpFamily::kIpv4};
  if (settings.has(IpFamily::kIpv6)) families.push_back(IpFamily::kIpv6);
  return families;
}

Result<> one_of(std::string_view option, std::string_view value,
                std::initializer_list<std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return {};
  return fail(fmt::format("{} {}: must be {}", option, value, fmt::join(choices, " or ")));
}

}  // namespace

bool Settings::has(IpFamily family) const {
  return ip_family == "dual" || ip_family == (family == IpFamily::kIpv4 ? "ipv4" : "ipv6");
}

std::vector<IpFamily> Settings::families() const {
  std::vector<IpFamily> found;
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    if (has(family)) found.push_back(family);
  }
  return found;
}

Result<> check(const Settings& settings) {
  WEFT_TRY(LabNames::for_lab(settings.name));
  WEFT_TRY(one_of("--ip-family", settings.ip_family, {"ipv4", "ipv6", "dual"}));
  WEFT_TRY(one_of("--transport", settings.transport, {"vxlan", "direct"}));
  WEFT_TRY(one_of("--services", settings.services, {"nftables"}));
  if (settings.nodes < 1 || settings.nodes > kMostNodes) {
    return fail(fmt::format("--nodes {}: must be 1 to {}", settings.nodes, kMostNodes));
  }
  if (settings.fabric == Fabric::kSwitch && settings.nodes > kMostSwitchedNodes) {
    return fail(
        fmt::format("--fabric switch: carries at most {} nodes (the kernel has one neighbor "
                    "table for all namespaces); use --fabric router",
                    kMostSwitchedNodes));
  }
  if (settings.transport == "direct" && settings.fabric == Fabric::kRouter) {
    return fail(
        "--transport direct: nodes behind --fabric router share no link to route over; use "
        "--fabric switch, or --transport vxlan");
  }
  return {};
}

Result<Fabric> parse_fabric(std::string_view text) {
  WEFT_TRY(one_of("--fabric", text, {"switch", "router"}));
  return text == "switch" ? Fabric::kSwitch : Fabric::kRouter;
}

std::string_view to_string(Fabric fabric) {
  return fabric == Fabric::kSwitch ? "switch" : "router";
}

std::string to_json(const Settings& settings) {
  const nlohmann::ordered_json json = {{"name", settings.name},
                                       {"nodes", settings.nodes},
                                       {"ipFamily", settings.ip_family},
                                       {"transport", settings.transport},
                                       {"fabric", to_string(settings.fabric)},
                                       {"services", settings.services}};
  return json.dump(2) + "\n";
}

Result<Settings> settings_from_json(std::string_view text) {
  WEFT_ASSIGN(const document::Document document, document::parse_json(text, "lab.json"));
  if (!document.value.is_object()) return fail("lab.json: not a JSON object");
  document::Reading reading(document);
  const document::Field root = reading.root();
  Settings settings;
  settings.name = root["name"].text();
  settings.nodes = static_cast<int>(root["nodes"].number(1, kMostNodes));
  settings.ip_family = root["ipFamily"].text();
  settings.transport = root["transport"].text();
  settings.services = root["services"].text();
  const std::string fabric = root["fabric"].text();
  WEFT_TRY(reading.outcome());
  WEFT_ASSIGN(settings.fabric, parse_fabric(fabric), "lab.json");
  WEFT_TRY(check(settings), "lab.json");
  return settings;
}

std::vector<Prefix> cluster_cidrs(const Settings& settings) {
  std::vector<Prefix> cidrs;
  for (const IpFamily family : settings.families()) cidrs.push_back(cluster_cidr(family));
  return cidrs;
}

std::vector<Prefix> service_cidrs(const Settings& settings) {
  std::vector<Prefix> cidrs;
  for (const IpFamily family : settings.families()) cidrs.push_back(service_cidr(family));
  return cidrs;
}

std::vector<IpAddress> NodePlan::addresses() const {
  std::vector<IpAddress> found;
  for (const NodeLink& link : links) found.push_back(link.node.address);
  return found;
}

NodePlan plan_node(const Settings& settings, int number) {
  NodePlan plan{number, node_name(number), {}, {}};
  for (const IpFamily family : underlay_families(settings)) {
    plan.links.push_back(settings.fabric == Fabric::kSwitch
                             ? switch_link(family, static_cast<std::uint64_t>(number))
                             : router_link(family, number));
  }
  for (const IpFamily family : settings.families()) {
    plan.pod_cidrs.push_back(pod_cidr(family, number));
  }
  return plan;
}

std::vector<NodePlan> plan_nodes(const Settings& settings) {
  std::vector<NodePlan> plans;
  for (int number = 1; number <= settings.nodes; ++number) {
    plans.push_back(plan_node(settings, number));
  }
  return plans;
}

std::vector<Prefix> switch_addresses(const Settings& settings) {
  std::vector<Prefix> addresses;
  if (settings.fabric != Fabric::kSwitch) return addresses;
  for (const IpFamily family : underlay_families(settings)) {
    addresses.push_back(switch_link(family, 0).fabric);
  }
  return addresses;
}

}  // namespace weft::lab
