// SPDX-License-Identifier: Apache-2.0
#include "agent/stale_flows.h"

#include <chrono>
#include <utility>

#include "log/log.h"
#include "service/stale_flows.h"
#include "tables/nft.h"

namespace weft::agent {

namespace {

constexpr std::chrono::seconds kRetry{1};

}  // namespace

void StaleFlows::note(std::span<const model::FrontendChange> changes) {
  for (const model::FrontendChange& change : changes) note(change);
  bound();
}

void StaleFlows::note(const model::FrontendChange& change) {
  const auto noted = stale_.find(change.frontend);
  if (noted != stale_.end() && change.current)
    for (const model::Backend& back : change.current->backends)
      noted->second.erase(netlink::Endpoint{back.address, back.port});
  for (const service::StaleFlow& flow : service::stale_udp_flows(std::span(&change, 1))) {
    Backends& backends = stale_[flow.frontend];
    if (!backends.contains(std::nullopt))
      backends.insert(netlink::Endpoint{flow.backend.address, flow.backend.port});
  }
}

void StaleFlows::bound() {
  std::size_t flows = 0;
  for (const auto& [frontend, backends] : stale_) flows += backends.size();
  if (flows <= kMostFlows) return;
  for (auto& [frontend, backends] : stale_) backends = {std::nullopt};
}

void StaleFlows::remove_written(const reconcile::Reconciler& tables) {
  if (stale_.empty() || (retry_at_ && clock_.now() < *retry_at_)) return;
  retry_at_.reset();
  if (!tables.settled(tables::NftKind::kName)) return;  // there will be a run() when it is
  std::vector<netlink::ConntrackMatch> matches;
  for (const auto& [frontend, backends] : stale_)
    for (const auto& backend : backends)
      matches.push_back({.protocol = static_cast<std::uint8_t>(frontend.protocol),
                         .destination = {frontend.address, frontend.port},
                         .backend = backend});
  const auto removed = netlink::delete_conntrack(netfilter_, matches);
  if (!removed) {
    if (!std::exchange(failing_, true))
      log::error("agent", "cannot remove stale UDP flows yet", {{"error", removed.error()}});
    retry_at_ = clock_.now() + kRetry;
    return;
  }
  if (*removed > 0) log::info("agent", "removed stale UDP flows", {{"flows", *removed}});
  stale_.clear();
  failing_ = false;
}

std::vector<model::FrontendChange> changes_between(const model::ServiceTable& before,
                                                   const model::ServiceTable& now) {
  std::vector<model::FrontendChange> changes;
  for (const auto& [frontend, entry] : before.frontends) {
    const auto found = now.frontends.find(frontend);
    if (found == now.frontends.end())
      changes.push_back({frontend, entry, std::nullopt});
    else if (found->second.backends != entry.backends)
      changes.push_back({frontend, entry, found->second});
  }
  for (const auto& [frontend, entry] : now.frontends)
    if (!before.frontends.contains(frontend)) changes.push_back({frontend, std::nullopt, entry});
  return changes;
}

}  // namespace weft::agent
