// SPDX-License-Identifier: Apache-2.0
#include "agent/stale_flows.h"

#include <chrono>
#include <utility>

#include "linux/netlink/conntrack.h"
#include "log/log.h"
#include "tables/nft.h"

namespace weft::agent {

namespace {

constexpr std::chrono::seconds kRetry{1};

}  // namespace

void StaleFlows::note(std::span<const model::FrontendChange> changes) {
  const std::vector<service::StaleFlow> more = service::stale_udp_flows(changes);
  flows_.insert(flows_.end(), more.begin(), more.end());
}

void StaleFlows::remove_written(const reconcile::Reconciler& tables) {
  if (flows_.empty() || (retry_at_ && clock_.now() < *retry_at_)) return;
  retry_at_.reset();
  if (!tables.settled(tables::NftKind::kName)) return;  // there will be a run() when it is
  std::vector<netlink::ConntrackMatch> matches;
  for (const service::StaleFlow& flow : flows_)
    matches.push_back({.protocol = static_cast<std::uint8_t>(flow.frontend.protocol),
                       .destination = {flow.frontend.address, flow.frontend.port},
                       .backend = netlink::Endpoint{flow.backend.address, flow.backend.port}});
  const auto removed = netlink::delete_conntrack(netfilter_, matches);
  if (!removed) {
    if (!std::exchange(failing_, true))
      log::error("agent", "cannot remove stale UDP flows yet", {{"error", removed.error()}});
    retry_at_ = clock_.now() + kRetry;
    return;
  }
  if (*removed > 0) log::info("agent", "removed stale UDP flows", {{"flows", *removed}});
  flows_.clear();
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
