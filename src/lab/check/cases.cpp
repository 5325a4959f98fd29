// SPDX-License-Identifier: Apache-2.0
#include "lab/check/cases.h"

#include <fmt/format.h>

#include <algorithm>

#include "lab/kubelet/workload.h"
#include "linux/netns.h"

namespace weft::lab {
namespace {

using model::Protocol;

constexpr std::uint16_t kServicePort = 80;
// A full mesh of a small lab; of a large one every node to as many others.
constexpr std::size_t kMostPeers = 50;

std::string server_on(const std::string& node) { return "server-" + node; }
std::string client_on(const std::string& node) { return "client-" + node; }
std::string self_service(const std::string& node) { return "self-" + node; }

Json metadata(const std::string& name, Json labels = Json::object()) {
  return {{"name", name}, {"namespace", kCheckNamespace}, {"labels", std::move(labels)}};
}

// The binary itself is the program: /proc/self/exe holds even where its path is under a tmpfs.
Json pod_object(const std::string& name, const std::string& node, const std::string& app) {
  const std::string port = std::to_string(kProbePort);
  return {
      {"apiVersion", "v1"},
      {"kind", "Pod"},
      {"metadata", metadata(name, {{"app", app}, {"node", node}})},
      {"spec",
       {{"nodeName", node},
        {"containers",
         {{{"name", "probe"},
           {"command", {"/proc/self/exe", "lab", "probe-server", "--name", name, "--port", port}},
           {"readinessProbe", {{"tcpSocket", {{"port", kProbePort}}}}}}}}}}};
}

Json service_object(const std::string& name, const std::string& type, Json selector) {
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", metadata(name)},
          {"spec",
           {{"type", type},
            {"ipFamilyPolicy", "PreferDualStack"},
            {"selector", std::move(selector)},
            {"ports",
             {{{"name", "tcp"},
               {"port", kServicePort},
               {"targetPort", kProbePort},
               {"protocol", "TCP"}},
              {{"name", "udp"},
               {"port", kServicePort},
               {"targetPort", kProbePort},
               {"protocol", "UDP"}}}}}}};
}

// Makes the cases of one IP family and protocol.
class CaseMaker {
 public:
  CaseMaker(const Lab& lab, const ObjectStore& store,
            const std::map<std::string, std::string>& netns_of, IpFamily family, Protocol protocol,
            std::vector<CheckCase>& out)
      : lab_(lab),
        store_(store),
        netns_of_(netns_of),
        family_(family),
        protocol_(protocol),
        out_(out) {}

  void make() {
    const std::vector<NodePlan> nodes = plan_nodes(lab_.settings);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      from_pods(nodes, i);
      from_node(nodes[i]);
      from_fabric(nodes[i]);
    }
  }

 private:
  struct Expected {
    std::vector<std::string> servers{};
    std::vector<std::string> seen{};
  };

  void from_pods(const std::vector<NodePlan>& nodes, std::size_t i) {
    const NodePlan& node = nodes[i];
    const std::string client = client_on(node.name);
    const std::string own = ip_of(client).to_string();
    to_pod("pod to pod, same node", client, server_on(node.name), own);
    const std::size_t peers = std::min(nodes.size() - 1, kMostPeers);
    for (std::size_t k = 1; k <= peers; ++k) {
      to_pod("pod to pod, other node", client, server_on(nodes[(i + k) % nodes.size()].name), own);
    }
    to_service("pod to ClusterIP", client, "probe", {all_servers(), {own}});
    to_service("pod to itself by ClusterIP", server_on(node.name), self_service(node.name),
               {{server_on(node.name)}, addresses_of(node)});
    to_node_port("pod to NodePort, own node", client, node);
    if (nodes.size() > 1)
      to_node_port("pod to NodePort, other node", client, nodes[(i + 1) % nodes.size()]);
    add("pod to fabric", client, netns_of_.at(client), kFabricServer, fabric_address(node),
        kProbePort, {{kFabricServer}, {internal_ip(node).to_string()}});
    refused("no endpoints, ClusterIP", client, netns_of_.at(client), cluster_ip("empty"),
            kServicePort);
  }

  void from_node(const NodePlan& node) {
    const std::string netns = named_netns_path(lab_.names.node_netns(node.name));
    add("node to ClusterIP", node.name, netns, "probe", cluster_ip("probe"), kServicePort,
        {all_servers(), addresses_of(node)});
  }

  void from_fabric(const NodePlan& node) {
    const std::string netns = named_netns_path(lab_.names.fabric_netns());
    add("fabric to NodePort", "fabric", netns, node.name, internal_ip(node), node_port("probe"),
        {all_servers(), addresses_of(node)});
    refused("no endpoints, NodePort", "fabric", netns, internal_ip(node), node_port("empty"));
  }

  void to_pod(const char* path, const std::string& client, const std::string& server,
              const std::string& seen) {
    add(path, client, netns_of_.at(client), server, ip_of(server), kProbePort, {{server}, {seen}});
  }

  void to_service(const char* path, const std::string& client, const std::string& service,
                  Expected expected) {
    add(path, client, netns_of_.at(client), service, cluster_ip(service), kServicePort,
        std::move(expected));
  }

  void to_node_port(const char* path, const std::string& client, const NodePlan& node) {
    add(path, client, netns_of_.at(client), node.name, internal_ip(node), node_port("probe"),
        {all_servers(), addresses_of(node)});
  }

  void add(const char* path, const std::string& from, const std::string& netns,
           const std::string& to, const IpAddress& address, std::uint16_t port, Expected expected) {
    CheckCase made;
    made.path = path;
    made.from = from;
    made.to = fmt::format("{} {}", to, host_port(address, port));
    made.probe = {netns, address, port, protocol_};
    made.servers = std::move(expected.servers);
    made.seen = std::move(expected.seen);
    out_.push_back(std::move(made));
  }

  void refused(const char* path, const std::string& from, const std::string& netns,
               const IpAddress& address, std::uint16_t port) {
    add(path, from, netns, "empty", address, port, {});
    out_.back().refused = true;
  }

  static std::string host_port(const IpAddress& address, std::uint16_t port) {
    return address.is_v4() ? fmt::format("{}:{}", address.to_string(), port)
                           : fmt::format("[{}]:{}", address.to_string(), port);
  }

  IpAddress of_family(const std::vector<IpAddress>& addresses) const {
    const auto found = std::find_if(addresses.begin(), addresses.end(),
                                    [&](const IpAddress& ip) { return ip.family() == family_; });
    return found == addresses.end() ? IpAddress::any(family_) : *found;
  }

  IpAddress ip_of(const std::string& pod) const {
    const Json* found = store_.find("Pod", {kCheckNamespace, pod});
    return found == nullptr ? IpAddress::any(family_) : of_family(pod_ips(*found));
  }

  IpAddress internal_ip(const NodePlan& node) const { return of_family(node.addresses()); }

  IpAddress fabric_address(const NodePlan& node) const {
    std::vector<IpAddress> addresses;
    for (const NodeLink& link : node.links) addresses.push_back(link.fabric.address);
    return of_family(addresses);
  }

  IpAddress cluster_ip(const std::string& service) const {
    std::vector<IpAddress> ips;
    const Json* found = store_.find("Service", {kCheckNamespace, service});
    for (const std::string& text : texts_at(*found, "/spec/clusterIPs")) {
      if (const auto ip = IpAddress::parse(text)) ips.push_back(*ip);
    }
    return of_family(ips);
  }

  std::uint16_t node_port(const std::string& service) const {
    const Json* found = store_.find("Service", {kCheckNamespace, service});
    for (const Json& port : found->at("spec").at("ports")) {
      if (text_at(port, "/protocol") == model::to_string(protocol_)) {
        return static_cast<std::uint16_t>(number_at(port, "/nodePort", 0));
      }
    }
    return 0;
  }

  // As whom a node may be seen: its own address, its tunnel's, its bridge's.
  std::vector<std::string> addresses_of(const NodePlan& node) const {
    std::vector<std::string> addresses = {internal_ip(node).to_string()};
    for (const Prefix& cidr : node.pod_cidrs) {
      if (cidr.family() != family_) continue;
      addresses.push_back(cidr.at(0).to_string());
      addresses.push_back(cidr.at(1).to_string());
    }
    return addresses;
  }

  std::vector<std::string> all_servers() const {
    std::vector<std::string> servers;
    for (const NodePlan& node : plan_nodes(lab_.settings)) servers.push_back(server_on(node.name));
    return servers;
  }

  const Lab& lab_;
  const ObjectStore& store_;
  const std::map<std::string, std::string>& netns_of_;
  IpFamily family_;
  Protocol protocol_;
  std::vector<CheckCase>& out_;
};

}  // namespace

std::vector<document::Document> check_objects(const Settings& settings) {
  std::vector<document::Document> documents;
  documents.push_back(document_of(
      {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", kCheckNamespace}}}}));
  documents.push_back(document_of(service_object("probe", "NodePort", {{"app", "server"}})));
  documents.push_back(document_of(service_object("empty", "NodePort", {{"app", "nobody"}})));
  for (const NodePlan& node : plan_nodes(settings)) {
    const Json selector = {{"app", "server"}, {"node", node.name}};
    documents.push_back(
        document_of(service_object(self_service(node.name), "ClusterIP", selector)));
    documents.push_back(document_of(pod_object(server_on(node.name), node.name, "server")));
    documents.push_back(document_of(pod_object(client_on(node.name), node.name, "client")));
  }
  return documents;
}

std::vector<CheckCase> check_cases(const Lab& lab, const ObjectStore& store,
                                   const std::map<std::string, std::string>& netns_of) {
  std::vector<CheckCase> cases;
  for (const IpFamily family : lab.settings.families()) {
    for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp}) {
      CaseMaker(lab, store, netns_of, family, protocol, cases).make();
    }
  }
  return cases;
}

}  // namespace weft::lab
