// SPDX-License-Identifier: Apache-2.0
#include "model/service_compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace weft::model {
namespace {

std::string conflict(const Frontend& frontend, const ObjectName& owner) {
  return fmt::format("{} is not served: Service {} has it", frontend.to_string(),
                     owner.to_string());
}

bool has_node_ports(const Service& service) {
  return service.type == ServiceType::kNodePort || service.type == ServiceType::kLoadBalancer;
}

bool has_family(const Service& service, IpFamily family) {
  return std::any_of(service.cluster_ips.begin(), service.cluster_ips.end(),
                     [&](const IpAddress& address) { return address.family() == family; });
}

std::vector<std::string> texts(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.to_string());
  return texts;
}

std::vector<std::string> texts(TrafficPolicy policy) {
  if (policy == TrafficPolicy::kLocal) return {"Local"};
  return {};
}

// What a Service asks for and does not get.
std::set<std::string> unserved_fields(const Service& service) {
  std::set<std::string> unserved;
  const auto add = [&](std::string_view field, const std::vector<std::string>& values,
                       std::string_view instead = "") {
    if (!values.empty())
      unserved.insert(
          fmt::format("{}: {} is not served{}", field, fmt::join(values, ", "), instead));
  };
  if (service.type == ServiceType::kExternalName || service.cluster_ips.empty()) return unserved;
  if (service.session_affinity == SessionAffinity::kClientIp)
    add("spec.sessionAffinity", {"ClientIP"}, ": a client's connections go to any backend");
  add("spec.internalTrafficPolicy", texts(service.internal_traffic_policy),
      ": backends on other nodes are used too");
  add("spec.externalIPs", texts(service.external_ips));
  if (has_node_ports(service) || !service.external_ips.empty())
    add("spec.externalTrafficPolicy", texts(service.external_traffic_policy),
        ": backends on other nodes are used too, and see the node's address for the client's");
  if (service.type != ServiceType::kLoadBalancer) return unserved;
  add("status.loadBalancer.ingress", texts(service.load_balancer_ips));
  add("spec.loadBalancerSourceRanges", service.load_balancer_source_ranges);
  if (service.health_check_node_port != 0)
    add("spec.healthCheckNodePort", {std::to_string(service.health_check_node_port)});
  return unserved;
}

void add_backends(const EndpointSlice& slice, const ServicePort& port, const std::string& node,
                  std::vector<Backend>& backends) {
  const auto slice_port =
      std::find_if(slice.ports.begin(), slice.ports.end(), [&](const EndpointPort& candidate) {
        return candidate.name == port.name && candidate.protocol == port.protocol;
      });
  if (slice_port == slice.ports.end()) return;
  for (const Endpoint& endpoint : slice.endpoints)
    if (endpoint.ready && !endpoint.addresses.empty())
      backends.push_back({endpoint.addresses.front(), slice_port->port,
                          !node.empty() && endpoint.node_name == node});
}

// Sorted, one of each address and port: local where any slice says so.
void normalise(std::vector<Backend>& backends) {
  std::sort(backends.begin(), backends.end(), [](const Backend& a, const Backend& b) {
    return std::tie(a.address, a.port, b.local) < std::tie(b.address, b.port, a.local);
  });
  backends.erase(std::unique(backends.begin(), backends.end(),
                             [](const Backend& a, const Backend& b) {
                               return a.address == b.address && a.port == b.port;
                             }),
                 backends.end());
}

// Puts `backends`, which are sorted, in order: who was in `before` keeps its place there where
// there still is such a place, and the others fill the rest.
void keep_slots(const std::vector<Backend>& before, std::vector<Backend>& backends) {
  const auto by_target = [](const Backend& a, const Backend& b) {
    return std::tie(a.address, a.port) < std::tie(b.address, b.port);
  };
  std::vector<std::optional<Backend>> slots(backends.size());
  std::vector<bool> placed(backends.size());
  for (std::size_t slot = 0; slot < std::min(before.size(), slots.size()); ++slot) {
    const auto same = std::lower_bound(backends.begin(), backends.end(), before[slot], by_target);
    if (same == backends.end() || by_target(before[slot], *same)) continue;
    const auto at = static_cast<std::size_t>(same - backends.begin());
    if (placed[at]) continue;  // twice in a table that somebody tampered with
    slots[slot] = *same;
    placed[at] = true;
  }
  std::size_t slot = 0;
  for (std::size_t i = 0; i < backends.size(); ++i) {
    if (placed[i]) continue;
    while (slots[slot]) ++slot;
    slots[slot] = backends[i];
  }
  for (std::size_t i = 0; i < backends.size(); ++i) backends[i] = *slots[i];
}

}  // namespace

ServiceCompiler::Claims ServiceCompiler::claims_of(const ClusterState& state,
                                                   const Service& service,
                                                   std::set<std::string>& unsupported) const {
  Claims claims;
  if (service.type == ServiceType::kExternalName) return claims;
  const auto& slices = state.endpoint_slices(service.name);
  for (const ServicePort& port : service.ports) {
    if (port.protocol == Protocol::kSctp) {
      unsupported.insert(
          fmt::format("port {}/SCTP is not served: no back end has SCTP", port.port));
      continue;
    }
    for (const IpFamily family : node_.families) {
      if (!has_family(service, family)) continue;
      FrontendEntry entry{FrontendKind::kClusterIp, {}, false, service.name, port.name};
      for (const auto& [name, slice] : slices)
        if (slice.family == family) add_backends(slice, port, node_.name, entry.backends);
      normalise(entry.backends);
      for (const IpAddress& address : service.cluster_ips)
        if (address.family() == family && !node_addresses_.contains(address))
          claims.try_emplace({address, port.protocol, port.port}, entry);
      if (!has_node_ports(service) || port.node_port == 0) continue;
      entry.kind = FrontendKind::kNodePort;
      entry.masquerade = true;
      for (const IpAddress& address : node_.node_port_addresses)
        if (address.family() == family)
          claims.try_emplace({address, port.protocol, port.node_port}, entry);
    }
  }
  return claims;
}

void ServiceCompiler::add_odd_cluster_ips(const Service& service,
                                          std::set<std::string>& odd) const {
  if (service.type == ServiceType::kExternalName) return;
  const auto& cidrs = node_.service_cidrs;
  for (const IpAddress& address : service.cluster_ips) {
    if (std::find(node_.families.begin(), node_.families.end(), address.family()) ==
        node_.families.end())
      continue;
    const std::string field = "spec.clusterIPs: " + address.to_string();
    if (const auto node = node_addresses_.find(address); node != node_addresses_.end())
      odd.insert(fmt::format("{} is not served: it is an InternalIP of Node {}", field,
                             node->second.to_string()));
    else if (!cidrs.empty() && std::none_of(cidrs.begin(), cidrs.end(), [&](const Prefix& cidr) {
               return cidr.contains(address);
             }))
      odd.insert(field +
                 " is outside serviceCIDRs of the configuration; it is served all the same");
  }
}

ServiceDelta ServiceCompiler::compile(const ClusterState& state,
                                      const std::set<ObjectName>& services) {
  Touched touched;
  for (const ObjectName& name : services) recompile(state, name, touched);
  return finish(std::move(touched));
}

ServiceDelta ServiceCompiler::set_node(const ClusterState& state, ServiceNode node) {
  if (node == node_) return {};
  node_ = std::move(node);
  std::set<ObjectName> services;
  for (const auto& [name, compiled] : compiled_) services.insert(services.end(), name);
  return compile(state, services);
}

ServiceDelta ServiceCompiler::set_node_addresses(const ClusterState& state,
                                                 NodeAddresses addresses) {
  if (addresses == node_addresses_) return {};
  const auto changed = [&](const IpAddress& address) {
    const auto before = node_addresses_.find(address);
    const auto now = addresses.find(address);
    if (before == node_addresses_.end() || now == addresses.end())
      return (before == node_addresses_.end()) != (now == addresses.end());
    return before->second != now->second;
  };
  std::set<ObjectName> services;
  for (const auto& [name, service] : state.services())
    if (std::any_of(service.cluster_ips.begin(), service.cluster_ips.end(), changed))
      services.insert(services.end(), name);
  node_addresses_ = std::move(addresses);
  return compile(state, services);
}

void ServiceCompiler::recompile(const ClusterState& state, const ObjectName& name,
                                Touched& touched) {
  Compiled now;
  Claims claims;
  const auto service = state.services().find(name);
  if (service != state.services().end()) {
    claims = claims_of(state, service->second, now.unsupported);
    now.unsupported.merge(unserved_fields(service->second));
    add_odd_cluster_ips(service->second, now.unsupported);
  }
  for (const auto& [frontend, entry] : claims) now.claims.push_back(frontend);

  const auto had = compiled_.find(name);
  const Compiled before = had == compiled_.end() ? Compiled{} : std::move(had->second);
  for (const std::string& message : now.unsupported)
    if (!before.unsupported.contains(message)) new_problems_.push_back({name, message});
  // Kept even without claims: set_node() may give it some.
  if (service != state.services().end())
    compiled_.insert_or_assign(name, std::move(now));
  else if (had != compiled_.end())
    compiled_.erase(had);

  for (const Frontend& frontend : before.claims)
    if (!claims.contains(frontend)) release(state, name, frontend, touched);
  for (auto& [frontend, entry] : claims) claim(name, frontend, std::move(entry), touched);
}

void ServiceCompiler::claim(const ObjectName& service, const Frontend& frontend,
                            FrontendEntry entry, Touched& touched) {
  const auto found = table_.frontends.find(frontend);
  if (found != table_.frontends.end() && found->second.service < service)
    return add_rival(frontend, service, found->second.service);
  if (found != table_.frontends.end() && found->second.service != service)
    add_rival(frontend, found->second.service, service);
  put(frontend, std::move(entry), touched);
}

void ServiceCompiler::add_rival(const Frontend& frontend, const ObjectName& rival,
                                const ObjectName& owner) {
  if (rivals_[frontend].insert(rival).second)
    new_problems_.push_back({rival, conflict(frontend, owner)});
}

void ServiceCompiler::release(const ClusterState& state, const ObjectName& service,
                              const Frontend& frontend, Touched& touched) {
  const auto found = table_.frontends.find(frontend);
  if (found == table_.frontends.end()) return;
  const auto rivals = rivals_.find(frontend);
  std::optional<FrontendEntry> heir;
  if (rivals != rivals_.end()) {
    if (found->second.service != service)
      rivals->second.erase(service);
    else
      heir = take_heir(state, frontend, rivals->second);
    if (rivals->second.empty()) rivals_.erase(rivals);
  }
  if (found->second.service == service) put(frontend, std::move(heir), touched);
}

// The entry of the first rival, which is then none any more. Rivals that no longer claim the
// frontend (they are about to be compiled themselves) drop out on the way.
std::optional<FrontendEntry> ServiceCompiler::take_heir(const ClusterState& state,
                                                        const Frontend& frontend,
                                                        std::set<ObjectName>& rivals) const {
  while (!rivals.empty()) {
    const auto service = state.services().find(*rivals.begin());
    rivals.erase(rivals.begin());
    if (service == state.services().end()) continue;
    std::set<std::string> unsupported;
    Claims claims = claims_of(state, service->second, unsupported);
    if (const auto entry = claims.find(frontend); entry != claims.end())
      return std::move(entry->second);
  }
  return std::nullopt;
}

void ServiceCompiler::put(const Frontend& frontend, std::optional<FrontendEntry> entry,
                          Touched& touched) {
  const auto found = table_.frontends.find(frontend);
  const bool present = found != table_.frontends.end();
  const auto [before, first_touch] = touched.try_emplace(frontend);
  if (first_touch && present) before->second = std::move(found->second);
  if (!entry) {
    table_.frontends.erase(frontend);
    return;
  }
  if (before->second)
    keep_slots(before->second->backends, entry->backends);
  else if (const auto left = left_.extract(frontend))
    keep_slots(left.mapped().backends, entry->backends);
  if (present)
    found->second = std::move(*entry);
  else
    table_.frontends.emplace(frontend, std::move(*entry));
}

ServiceDelta ServiceCompiler::finish(Touched&& touched) {
  ServiceDelta delta;
  for (auto& [frontend, previous] : touched) {
    const auto found = table_.frontends.find(frontend);
    if (found == table_.frontends.end() ? !previous : previous == found->second) continue;
    FrontendChange& change = delta.frontends.emplace_back();
    change.frontend = frontend;
    if (found != table_.frontends.end()) change.current = found->second;
    change.previous = std::move(previous);
    if (change.previous) uncount(table_, delta, frontend, *change.previous);
    if (change.current) count(table_, delta, frontend, *change.current);
  }
  return delta;
}

std::set<ServiceProblem> ServiceCompiler::problems() const {
  std::set<ServiceProblem> problems;
  for (const auto& [name, compiled] : compiled_)
    for (const std::string& message : compiled.unsupported) problems.insert({name, message});
  for (const auto& [frontend, rivals] : rivals_)
    for (const ObjectName& rival : rivals)
      problems.insert({rival, conflict(frontend, table_.frontends.at(frontend).service)});
  return problems;
}

}  // namespace weft::model
