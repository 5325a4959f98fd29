// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/service_defaults.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "document/reading.h"
#include "lab/kubelet/workload.h"

namespace weft::lab {
namespace {

using document::Field;
using model::Protocol;

constexpr int kLargestPort = 65535;
constexpr std::string_view kHeadless = "None";

std::string_view family_name(IpFamily family) {
  return family == IpFamily::kIpv4 ? "IPv4" : "IPv6";
}

std::optional<IpFamily> parse_family(std::string_view text) {
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    if (text == family_name(family)) return family;
  }
  return std::nullopt;
}

const Prefix* cidr_of(const std::vector<Prefix>& cidrs, IpFamily family) {
  const auto found = std::find_if(cidrs.begin(), cidrs.end(),
                                  [&](const Prefix& cidr) { return cidr.family() == family; });
  return found == cidrs.end() ? nullptr : &*found;
}

// ---- IP families: spec.ipFamilyPolicy and spec.ipFamilies ----

std::vector<IpFamily> named_families(const Field& field, const std::vector<Prefix>& cidrs) {
  std::vector<IpFamily> families;
  field.each([&](const Field& item) {
    const std::optional<IpFamily> family = parse_family(item.text());
    if (!family)
      item.refuse("must be IPv4 or IPv6");
    else if (cidr_of(cidrs, *family) == nullptr)
      item.refuse_as("this lab has no such Services");
    else if (std::find(families.begin(), families.end(), *family) != families.end())
      item.refuse_as("is named twice");
    else
      families.push_back(*family);
  });
  return families;
}

// The families that a Service's own addresses or its ipFamilies ask for, in that order.
std::vector<IpFamily> requested_families(const Field& spec, const std::vector<Prefix>& cidrs) {
  std::vector<IpFamily> families = named_families(spec["ipFamilies"], cidrs);
  if (!families.empty()) return families;
  std::vector<std::string> addresses = spec["clusterIPs"].texts();
  if (addresses.empty()) addresses.push_back(spec["clusterIP"].text());
  for (const std::string& address : addresses) {
    if (const auto parsed = IpAddress::parse(address)) families.push_back(parsed->family());
  }
  return families;
}

std::string ip_family_policy(const Field& field, std::size_t requested) {
  std::string policy = field.text(requested > 1 ? "RequireDualStack" : "SingleStack");
  if (policy != "SingleStack" && policy != "PreferDualStack" && policy != "RequireDualStack")
    field.refuse("must be SingleStack, PreferDualStack or RequireDualStack");
  if (policy == "SingleStack" && requested > 1) field.refuse_as("SingleStack with two IP families");
  return policy;
}

struct Families {
  std::string policy{};
  std::vector<IpFamily> chosen{};
};

Families choose_families(const Field& spec, const std::vector<Prefix>& cidrs) {
  std::vector<IpFamily> chosen = requested_families(spec, cidrs);
  std::string policy = ip_family_policy(spec["ipFamilyPolicy"], chosen.size());
  if (policy == "RequireDualStack" && cidrs.size() < 2)
    spec["ipFamilyPolicy"].refuse_as("RequireDualStack, and this lab has one IP family");
  if (chosen.empty()) chosen.push_back(cidrs.front().family());
  if (policy != "SingleStack" && chosen.size() == 1 && cidrs.size() > 1) {
    chosen.push_back(chosen.front() == IpFamily::kIpv4 ? IpFamily::kIpv6 : IpFamily::kIpv4);
  }
  return Families{std::move(policy), std::move(chosen)};
}

// ---- Cluster IPs ----

IpAddress allocate_ip(const Prefix& cidr, const std::string& key, const Allocated& others) {
  const unsigned host_bits =
      std::min(16U, static_cast<unsigned>(address_bits(cidr.family()) - cidr.length));
  const std::uint64_t usable = (std::uint64_t{1} << host_bits) - 2;  // not the first, not the last
  const std::uint64_t start = hash_of(key) % usable;
  for (std::uint64_t i = 0; i < usable; ++i) {
    const IpAddress candidate = cidr.at(1 + (start + i) % usable);
    if (!others.cluster_ips.contains(candidate)) return candidate;
  }
  return IpAddress::any(cidr.family());
}

IpAddress explicit_ip(const Field& field, const Prefix& cidr, const Allocated& others) {
  const std::string text = field.text();
  const auto address = IpAddress::parse(text);
  if (!address) {
    field.refuse_as(address.error().message);
    return IpAddress::any(cidr.family());
  }
  if (!cidr.contains(*address))
    field.refuse_as(fmt::format("{} is not in the Service CIDR {}", text, cidr.to_string()));
  if (others.cluster_ips.contains(*address))
    field.refuse_as(fmt::format("{} is another Service's", text));
  return *address;
}

// The address of one family that the stored Service has.
std::optional<IpAddress> previous_ip(const Json* previous, IpFamily family) {
  if (previous == nullptr) return std::nullopt;
  for (const std::string& text : texts_at(*previous, "/spec/clusterIPs")) {
    const auto address = IpAddress::parse(text);
    if (address && address->family() == family) return *address;
  }
  return std::nullopt;
}

IpAddress choose_ip(const Field& spec, std::size_t index, const Prefix& cidr,
                    const Allocated& others, const Json* previous, const std::string& key) {
  const std::vector<Field> listed = spec["clusterIPs"].items();
  if (index < listed.size()) return explicit_ip(listed[index], cidr, others);
  if (index == 0 && !spec["clusterIP"].text().empty())
    return explicit_ip(spec["clusterIP"], cidr, others);
  if (const auto kept = previous_ip(previous, cidr.family())) return *kept;
  const IpAddress allocated = allocate_ip(cidr, key, others);
  if (allocated.is_unspecified())
    spec["clusterIP"].refuse_as(fmt::format("{} has no free address", cidr.to_string()));
  return allocated;
}

void fill_cluster_ips(const Field& spec, const std::vector<Prefix>& cidrs, const Allocated& others,
                      const Json* previous, Json& service) {
  const Families families = choose_families(spec, cidrs);
  service["spec"]["ipFamilyPolicy"] = families.policy;
  service["spec"]["ipFamilies"] = Json::array();
  for (const IpFamily family : families.chosen) {
    service["spec"]["ipFamilies"].push_back(family_name(family));
  }
  if (spec["clusterIP"].text() == kHeadless) {
    service["spec"]["clusterIPs"] = {kHeadless};
    return;
  }
  Json ips = Json::array();
  for (std::size_t i = 0; i < families.chosen.size(); ++i) {
    const Prefix* cidr = cidr_of(cidrs, families.chosen[i]);
    if (cidr == nullptr) return spec["clusterIP"].refuse_as("this lab has no such Services");
    ips.push_back(
        choose_ip(spec, i, *cidr, others, previous, name_of(service).to_string()).to_string());
  }
  service["spec"]["clusterIP"] = ips.front();
  service["spec"]["clusterIPs"] = std::move(ips);
}

// ---- Ports ----

// The node port that the stored Service has for the same port.
int previous_node_port(const Json* previous, int port, Protocol protocol) {
  if (previous == nullptr || !previous->at("spec").contains("ports")) return 0;
  for (const Json& candidate : previous->at("spec").at("ports")) {
    if (number_at(candidate, "/port", 0) == port &&
        text_at(candidate, "/protocol") == model::to_string(protocol)) {
      return number_at(candidate, "/nodePort", 0);
    }
  }
  return 0;
}

int allocate_node_port(const std::string& key, Protocol protocol, const Allocated& taken) {
  constexpr std::uint64_t kCount = kLastNodePort - kFirstNodePort + 1;
  const std::uint64_t start = hash_of(key) % kCount;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const int candidate = kFirstNodePort + static_cast<int>((start + i) % kCount);
    if (!taken.node_ports.contains({protocol, candidate})) return candidate;
  }
  return 0;
}

int choose_node_port(const Field& port, Protocol protocol, const Json* previous,
                     const std::string& key, const Allocated& taken) {
  const Field field = port["nodePort"];
  if (const auto wanted = static_cast<int>(field.number(0, kLargestPort)); wanted > 0) {
    if (wanted < kFirstNodePort || wanted > kLastNodePort)
      field.refuse(fmt::format("must be {} to {}", kFirstNodePort, kLastNodePort));
    if (taken.node_ports.contains({protocol, wanted})) field.refuse_as("is another Service's");
    return wanted;
  }
  const int number = port["port"].port();
  if (const int kept = previous_node_port(previous, number, protocol); kept != 0) return kept;
  const int allocated = allocate_node_port(fmt::format("{} {}", key, number), protocol, taken);
  if (allocated == 0) field.refuse_as("no node port is free");
  return allocated;
}

Protocol fill_port(const Field& field, Json& port) {
  const int number = field["port"].port();
  if (number == 0) field["port"].refuse_as("is required");
  const auto protocol = parse_protocol(field["protocol"].text("TCP"));
  if (!protocol) field["protocol"].refuse("must be TCP, UDP or SCTP");
  const Field target = field["targetPort"];
  if (target.is_set() && !target.value().text()) target.port();
  if (field.has_error()) return Protocol::kTcp;
  port["protocol"] = std::string(model::to_string(*protocol));
  if (!target.is_set()) port["targetPort"] = number;
  return *protocol;
}

void fill_ports(const Field& spec, bool node_ports, Allocated taken, const Json* previous,
                Json& service) {
  const std::vector<Field> fields = spec["ports"].items();
  std::set<std::string> port_names;
  for (std::size_t i = 0; i < fields.size() && !spec.has_error(); ++i) {
    Json& port = service["spec"]["ports"][i];
    const Protocol protocol = fill_port(fields[i], port);
    const std::string name = fields[i]["name"].text();
    if (name.empty() && fields.size() > 1)
      fields[i]["name"].refuse_as("is required where there are several ports");
    if (!port_names.insert(name).second) fields[i]["name"].refuse_as("is another port's");
    if (!node_ports || spec.has_error()) continue;
    const int node_port =
        choose_node_port(fields[i], protocol, previous, name_of(service).to_string(), taken);
    port["nodePort"] = node_port;
    taken.node_ports.insert({protocol, node_port});
  }
}

std::vector<IpAddress> cluster_ips_of(const Json& service) {
  std::vector<IpAddress> ips;
  for (const std::string& text : texts_at(service, "/spec/clusterIPs")) {
    if (const auto ip = IpAddress::parse(text)) ips.push_back(*ip);
  }
  return ips;
}

std::vector<std::pair<Protocol, int>> node_ports_of(const Json& service) {
  std::vector<std::pair<Protocol, int>> node_ports;
  for (const Json& port : service.at("spec").value("ports", Json::array())) {
    const int node_port = number_at(port, "/nodePort", 0);
    const auto protocol = parse_protocol(text_at(port, "/protocol"));
    if (node_port != 0 && protocol) node_ports.emplace_back(*protocol, node_port);
  }
  return node_ports;
}

}  // namespace

void Allocated::add(const Json& service) {
  for (const IpAddress& ip : cluster_ips_of(service)) cluster_ips.insert(ip);
  for (const auto& node_port : node_ports_of(service)) node_ports.insert(node_port);
}

void Allocated::remove(const Json& service) {
  for (const IpAddress& ip : cluster_ips_of(service)) cluster_ips.erase(ip);
  for (const auto& node_port : node_ports_of(service)) node_ports.erase(node_port);
}

Result<Json> with_defaults(const document::Document& document,
                           const std::vector<Prefix>& service_cidrs, const Allocated& others,
                           const Json* previous) {
  document::Reading reading(document);
  const Field spec = reading.root()["spec"];
  if (!spec.is_set()) spec.refuse_as("is required");
  const std::string type = spec["type"].text("ClusterIP");
  if (type != "ClusterIP" && type != "NodePort" && type != "LoadBalancer" && type != "ExternalName")
    spec["type"].refuse("must be ClusterIP, NodePort, LoadBalancer or ExternalName");
  WEFT_TRY(reading.outcome());
  Json service = document.value;
  service["spec"]["type"] = type;
  if (type == "ExternalName") return service;
  spec["selector"].labels();
  const bool headless = spec["clusterIP"].text() == kHeadless;
  if (headless && type != "ClusterIP") spec["clusterIP"].refuse_as("None with type " + type);
  if (!headless && spec["ports"].items().empty())
    spec["ports"].refuse_as("needs at least one port");
  fill_cluster_ips(spec, service_cidrs, others, previous, service);
  fill_ports(spec, type != "ClusterIP", others, previous, service);
  WEFT_TRY(reading.outcome());
  return service;
}

}  // namespace weft::lab
