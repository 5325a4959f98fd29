// SPDX-License-Identifier: Apache-2.0
#include "agent/stale_flows.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include "log/log.h"

namespace weft::agent {

namespace {

constexpr std::chrono::seconds kRetry{1};

}  // namespace

void StaleFlows::note(const service::UdpFlows& flows) {
  const auto endpoint = [](const service::UdpFlow& flow) {
    return netlink::Endpoint{flow.backend.address, flow.backend.port};
  };
  const auto is_served = [&](Stale& stale, const service::UdpFlow& flow) {
    const auto noted = stale.find(flow.frontend);
    if (noted == stale.end()) return;
    noted->second.erase(endpoint(flow));
    if (noted->second.empty()) stale.erase(noted);
  };
  for (const service::UdpFlow& flow : flows.served) {
    is_served(fresh_, flow);
    for (Change& change : changes_) is_served(change.stale, flow);
  }
  for (const service::UdpFlow& flow : flows.stale) {
    Backends& backends = fresh_[flow.frontend];
    if (!backends.contains(std::nullopt)) backends.insert(endpoint(flow));
  }
  bound();
}

void StaleFlows::wait_for(std::shared_ptr<const reconcile::Ticket> written) {
  if (!fresh_.empty()) changes_.push_back({std::move(written), std::exchange(fresh_, {})});
}

void StaleFlows::bound() {
  const auto count = [](const Stale& stale) {
    std::size_t flows = 0;
    for (const auto& [frontend, backends] : stale) flows += backends.size();
    return flows;
  };
  std::size_t flows = count(fresh_);
  for (const Change& change : changes_) flows += count(change.stale);
  if (flows <= kMostFlows) return;
  for (auto& [frontend, backends] : fresh_) backends = {std::nullopt};
  for (Change& change : changes_)
    for (auto& [frontend, backends] : change.stale) backends = {std::nullopt};
}

void StaleFlows::remove_written(const reconcile::Reconciler& reconciler) {
  if (changes_.empty() || (retry_at_ && clock_.now() < *retry_at_)) return;
  retry_at_.reset();
  const auto is_written = [&](const Change& change) {
    const auto outcome = reconciler.outcome(*change.written);
    return outcome && outcome->has_value();
  };
  const auto first = std::stable_partition(
      changes_.begin(), changes_.end(), [&](const Change& change) { return !is_written(change); });
  std::vector<Change> written(std::make_move_iterator(first),
                              std::make_move_iterator(changes_.end()));
  changes_.erase(first, changes_.end());
  if (written.empty() || remove(written)) return;
  std::move(written.begin(), written.end(), std::back_inserter(changes_));
  retry_at_ = clock_.now() + kRetry;
}

bool StaleFlows::remove(const std::vector<Change>& changes) {
  std::vector<netlink::ConntrackMatch> matches;
  for (const Change& change : changes)
    for (const auto& [frontend, backends] : change.stale)
      for (const auto& backend : backends)
        matches.push_back({.protocol = static_cast<std::uint8_t>(frontend.protocol),
                           .destination = {frontend.address, frontend.port},
                           .backend = backend});
  const auto removed = netlink::delete_conntrack(netfilter_, matches);
  if (!removed) {
    if (!std::exchange(failing_, true))
      log::error("agent", "cannot remove stale UDP flows yet", {{"error", removed.error()}});
    return false;
  }
  if (*removed > 0) log::info("agent", "removed stale UDP flows", {{"flows", *removed}});
  failing_ = false;
  return true;
}

}  // namespace weft::agent
