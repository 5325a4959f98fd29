// SPDX-License-Identifier: Apache-2.0
#include "service/udp_flows.h"

#include <set>
#include <tuple>

namespace weft::service {
namespace {

using model::Backend;
using model::Frontend;
using model::FrontendChange;
using model::PoolChange;

struct ByTarget {
  bool operator()(const Backend& a, const Backend& b) const {
    return std::tie(a.address, a.port) < std::tie(b.address, b.port);
  }
};
using Targets = std::set<Backend, ByTarget>;

// What a frontend's backends were and are, as far as they differ.
struct Change {
  Targets before{};
  Targets now{};
  bool had_any = false;
};

void note(const Frontend& frontend, const Change& change, UdpFlows& flows) {
  const auto flow = [&](const Backend& backend) {
    return UdpFlow{frontend, {backend.address, backend.port, false}};
  };
  for (const Backend& backend : change.before)
    if (!change.now.contains(backend)) flows.stale.push_back(flow(backend));
  if (!change.had_any && !change.now.empty())
    flows.stale.push_back({frontend, {frontend.address, frontend.port, false}});
  for (const Backend& backend : change.now)
    if (!change.before.contains(backend)) flows.served.push_back(flow(backend));
}

Change change_of(const PoolChange& pool) {
  Change change;
  change.had_any = pool.size_before > 0;
  for (const model::SlotChange& slot : pool.slots) {
    if (slot.previous) change.before.insert(*slot.previous);
    if (slot.current) change.now.insert(*slot.current);
  }
  return change;
}

Change change_of(const FrontendChange& frontend, const model::ServiceTable& table,
                 const model::ServiceDelta& changed) {
  Change change;
  if (frontend.previous)
    for (const Backend& backend : backends_before(table, changed, frontend.previous->pool))
      change.before.insert(backend);
  if (frontend.current) {
    const auto& backends = table.backends_of(*frontend.current);
    change.now.insert(backends.begin(), backends.end());
  }
  change.had_any = !change.before.empty();
  return change;
}

}  // namespace

UdpFlows udp_flows(const model::ServiceTable& table, const model::ServiceDelta& changed) {
  UdpFlows flows;
  for (const FrontendChange& frontend : changed.frontends)
    if (frontend.frontend.protocol == model::Protocol::kUdp && frontend.moved())
      note(frontend.frontend, change_of(frontend, table, changed), flows);
  for (const PoolChange& pool : changed.pools) {
    if (pool.pool.protocol != model::Protocol::kUdp) continue;
    const Change change = change_of(pool);
    for (const Frontend& frontend : pool.frontends) note(frontend, change, flows);
  }
  return flows;
}

}  // namespace weft::service
