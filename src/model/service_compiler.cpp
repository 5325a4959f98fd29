// SPDX-License-Identifier: Apache-2.0
#include "model/service_compiler.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::model {
namespace {

std::string conflict(const Frontend& frontend, const ObjectName& owner) {
  return fmt::format("{} is not served: Service {} has it", frontend.to_string(),
                     owner.to_string());
}

}  // namespace

ServiceDelta ServiceCompiler::compile(const ClusterState& state, const ClusterChanges& changes) {
  std::set<ObjectName> services = std::exchange(address_changed_, {});
  for (const auto& [name, before] : changes.of<Service>()) services.insert(name);
  if (std::exchange(node_changed_, false))
    for (const auto& [name, compiled] : compiled_) services.insert(name);
  const auto& slices = changes.of<EndpointSlice>();
  return compile(state, std::move(services),
                 std::exchange(node_renamed_, false) ? nullptr : &slices);
}

ServiceDelta ServiceCompiler::compile_all(const ClusterState& state) {
  std::set<ObjectName> services;
  for (const auto& [name, service] : state.services()) services.insert(services.end(), name);
  for (const auto& [name, compiled] : compiled_) services.insert(name);
  address_changed_.clear();
  node_changed_ = node_renamed_ = false;
  return compile(state, std::move(services), nullptr);
}

// Without `slices` every pool is collected again.
ServiceDelta ServiceCompiler::compile(const ClusterState& state, std::set<ObjectName> services,
                                      const ClusterChanges::Before<EndpointSlice>* slices) {
  Pass pass{state, PoolUpdate(table_.pools, indexes_, state, node_.name), {}};
  if (slices != nullptr)
    pass.pools.apply(*slices);
  else
    pass.pools.collect_again();
  for (const ObjectName& name : services) recompile(name, pass);
  left_pools_.clear();
  left_ = {};
  return finish(pass);
}

void ServiceCompiler::set_node(ServiceNode node) {
  if (node == node_) return;
  node_changed_ = true;
  node_renamed_ = node_renamed_ || node.name != node_.name;
  node_ = std::move(node);
}

void ServiceCompiler::set_node_addresses(const ClusterState& state, NodeAddresses addresses) {
  if (addresses == node_addresses_) return;
  const auto changed = [&](const IpAddress& address) {
    const auto before = node_addresses_.find(address);
    const auto now = addresses.find(address);
    if (before == node_addresses_.end() || now == addresses.end())
      return (before == node_addresses_.end()) != (now == addresses.end());
    return before->second != now->second;
  };
  for (const auto& [name, service] : state.services())
    if (std::any_of(service->cluster_ips.begin(), service->cluster_ips.end(), changed))
      address_changed_.insert(name);
  node_addresses_ = std::move(addresses);
}

void ServiceCompiler::recompile(const ObjectName& name, Pass& pass) {
  ServiceClaims claims;
  Compiled now;
  const auto service = pass.state.services().find(name);
  if (service != pass.state.services().end())
    claims = claims_of(*service->second, node_, node_addresses_);
  now.problems = std::move(claims.problems);
  now.claims.reserve(claims.frontends.size());
  for (const auto& [frontend, entry] : claims.frontends) now.claims.push_back(frontend);
  note_left(claims.frontends);

  const auto had = compiled_.find(name);
  const Compiled before = had == compiled_.end() ? Compiled{} : std::move(had->second);
  for (const std::string& message : now.problems)
    if (!before.problems.contains(message)) new_problems_.push_back({name, message});
  if (now.problems.empty())
    with_problems_.erase(name);
  else
    with_problems_.insert(name);
  // Kept even without claims: set_node() may give it some.
  if (service != pass.state.services().end())
    compiled_.insert_or_assign(name, std::move(now));
  else if (had != compiled_.end())
    compiled_.erase(had);

  for (const Frontend& frontend : before.claims)
    if (!claims.frontends.contains(frontend)) release(name, frontend, pass);
  for (auto& [frontend, entry] : claims.frontends) claim(name, frontend, std::move(entry), pass);
}

// The slots of a pool are those of the first of its frontends that has any.
void ServiceCompiler::note_left(const std::map<Frontend, FrontendEntry>& claims) {
  if (left_.frontends.empty()) return;
  for (const auto& [frontend, entry] : claims) {
    const auto found = left_.frontends.find(frontend);
    if (found == left_.frontends.end()) continue;
    const std::vector<Backend>& backends = left_.backends_of(found->second);
    if (!backends.empty()) left_pools_.try_emplace(entry.pool, &backends);
  }
}

void ServiceCompiler::claim(const ObjectName& service, const Frontend& frontend,
                            FrontendEntry entry, Pass& pass) {
  const auto found = table_.frontends.find(frontend);
  if (found != table_.frontends.end()) {
    const ObjectName& owner = found->second.pool.service;
    if (owner < service) return add_rival(frontend, service, owner);
    if (owner != service) add_rival(frontend, owner, service);
  }
  put(frontend, std::move(entry), pass);
}

void ServiceCompiler::add_rival(const Frontend& frontend, const ObjectName& rival,
                                const ObjectName& owner) {
  if (rivals_[frontend].insert(rival).second)
    new_problems_.push_back({rival, conflict(frontend, owner)});
}

void ServiceCompiler::release(const ObjectName& service, const Frontend& frontend, Pass& pass) {
  const auto found = table_.frontends.find(frontend);
  if (found == table_.frontends.end()) return;
  const bool owner = found->second.pool.service == service;
  const auto rivals = rivals_.find(frontend);
  std::optional<FrontendEntry> heir;
  if (rivals != rivals_.end()) {
    if (owner)
      heir = take_heir(pass.state, frontend, rivals->second);
    else
      rivals->second.erase(service);
    if (rivals->second.empty()) rivals_.erase(rivals);
  }
  if (owner) put(frontend, std::move(heir), pass);
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
    const ServiceClaims claims = claims_of(*service->second, node_, node_addresses_);
    if (const auto entry = claims.frontends.find(frontend); entry != claims.frontends.end())
      return entry->second;
  }
  return std::nullopt;
}

void ServiceCompiler::put(const Frontend& frontend, std::optional<FrontendEntry> entry,
                          Pass& pass) {
  const auto found = table_.frontends.find(frontend);
  const bool present = found != table_.frontends.end();
  const auto [before, first_touch] = pass.touched.try_emplace(frontend);
  if (first_touch && present) before->second = found->second;
  if (!present || !entry || found->second.pool != entry->pool) {
    if (present) pass.pools.detach(found->second.pool, frontend);
    if (entry) {
      const auto left = left_pools_.find(entry->pool);
      pass.pools.attach(entry->pool, frontend, left == left_pools_.end() ? nullptr : left->second);
    }
  }
  if (!entry)
    table_.frontends.erase(frontend);
  else if (present)
    found->second = std::move(*entry);
  else
    table_.frontends.emplace(frontend, std::move(*entry));
}

ServiceDelta ServiceCompiler::finish(Pass& pass) {
  ServiceDelta delta;
  delta.pools = pass.pools.finish();
  for (auto& [frontend, previous] : pass.touched) {
    const auto found = table_.frontends.find(frontend);
    if (found == table_.frontends.end() ? !previous : previous == found->second) continue;
    FrontendChange& change = delta.frontends.emplace_back();
    change.frontend = frontend;
    if (found != table_.frontends.end()) change.current = found->second;
    change.previous = std::move(previous);
    if (change.previous) uncount_cluster_ip(table_, delta, frontend, *change.previous);
    if (change.current) count_cluster_ip(table_, delta, frontend, *change.current);
  }
  return delta;
}

std::set<ServiceProblem> ServiceCompiler::problems() const {
  std::set<ServiceProblem> problems;
  for (const ObjectName& name : with_problems_)
    for (const std::string& message : compiled_.at(name).problems) problems.insert({name, message});
  for (const auto& [frontend, rivals] : rivals_)
    for (const ObjectName& rival : rivals)
      problems.insert({rival, conflict(frontend, table_.frontends.at(frontend).pool.service)});
  return problems;
}

}  // namespace weft::model
