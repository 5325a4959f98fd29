// SPDX-License-Identifier: Apache-2.0
#include "agent/stale_flows.h"

#include <chrono>
#include <utility>
#include <vector>

#include "log/log.h"
#include "tables/nft.h"

namespace weft::agent {

namespace {

constexpr std::chrono::seconds kRetry{1};

}  // namespace

void StaleFlows::note(const service::UdpFlows& flows) {
  const auto endpoint = [](const service::UdpFlow& flow) {
    return netlink::Endpoint{flow.backend.address, flow.backend.port};
  };
  for (const service::UdpFlow& flow : flows.served)
    if (const auto noted = stale_.find(flow.frontend); noted != stale_.end())
      noted->second.erase(endpoint(flow));
  for (const service::UdpFlow& flow : flows.stale) {
    Backends& backends = stale_[flow.frontend];
    if (!backends.contains(std::nullopt)) backends.insert(endpoint(flow));
  }
  bound();
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

}  // namespace weft::agent
