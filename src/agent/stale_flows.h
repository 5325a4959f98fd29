// SPDX-License-Identifier: Apache-2.0
//
// Removes tracked UDP flows that a change of Services left behind (service/stale_flows.h), once the
// change has been written: before that, the next packet would begin the same flow again. Where the
// kernel refuses, they are kept and tried again.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "linux/netlink/socket.h"
#include "model/service_table.h"
#include "reconcile/reconciler.h"
#include "service/stale_flows.h"

namespace weft::agent {

class StaleFlows {
 public:
  using TimePoint = reconcile::Clock::TimePoint;

  // `netfilter`: of NETLINK_NETFILTER, in the node's namespace.
  StaleFlows(netlink::Socket netfilter, const reconcile::Clock& clock)
      : netfilter_(std::move(netfilter)), clock_(clock) {}

  void note(std::span<const model::FrontendChange> changes);
  // After each run() of the Reconciler: removes what was noted, unless it is still to be written.
  void remove_written(const reconcile::Reconciler& tables);
  std::optional<TimePoint> deadline() const { return retry_at_; }  // when to call it all the same

 private:
  netlink::Socket netfilter_;
  const reconcile::Clock& clock_;
  std::vector<service::StaleFlow> flows_{};
  std::optional<TimePoint> retry_at_{};  // after a failure
  bool failing_ = false;                 // logged once
};

// From the table the kernel held (an agent's before this one) to what is wanted now.
std::vector<model::FrontendChange> changes_between(const model::ServiceTable& before,
                                                   const model::ServiceTable& now);

}  // namespace weft::agent
