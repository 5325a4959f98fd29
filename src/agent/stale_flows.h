// SPDX-License-Identifier: Apache-2.0
//
// Removes tracked UDP flows that a change of Services left behind (service/udp_flows.h), once the
// change has been written, which the ticket of the Services' plan tells: before that, the next
// packet would begin the same flow again. A change that the kernel refuses holds up no other's
// flows, and neither does a route that it refuses. Where it refuses to remove them, they are kept
// and tried again.
//
// However long that takes and whatever changes meanwhile, memory is bounded: a flow is kept once, a
// backend that is back is stale no more, and past kMostFlows all flows of these frontends go.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "linux/netlink/conntrack.h"
#include "linux/netlink/socket.h"
#include "model/service_table.h"
#include "reconcile/reconciler.h"
#include "reconcile/ticket.h"
#include "service/udp_flows.h"

namespace weft::agent {

class StaleFlows {
 public:
  using TimePoint = Clock::TimePoint;
  static constexpr std::size_t kMostFlows = 100'000;  // some 10 MB

  // `netfilter`: of NETLINK_NETFILTER, in the node's namespace.
  StaleFlows(netlink::Socket netfilter, const Clock& clock)
      : netfilter_(std::move(netfilter)), clock_(clock) {}

  void note(const service::UdpFlows& flows);
  // After each feature's plan: what was noted meanwhile waits for `written`, the ticket of that
  // plan.
  void wait_for(std::shared_ptr<const reconcile::Ticket> written);
  // After each run() of the Reconciler: removes what was noted of the changes that are written.
  void remove_written(const reconcile::Reconciler& reconciler);
  std::optional<TimePoint> deadline() const { return retry_at_; }  // when to call it all the same

 private:
  // Backends that a frontend had; nothing in it: whatever backend.
  using Backends = std::set<std::optional<netlink::Endpoint>>;

  using Stale = std::map<model::Frontend, Backends>;
  struct Change {
    std::shared_ptr<const reconcile::Ticket> written{};
    Stale stale{};
  };

  void bound();
  bool remove(const std::vector<Change>& changes);

  netlink::Socket netfilter_;
  const Clock& clock_;
  Stale fresh_{};                        // of the change that is being planned
  std::vector<Change> changes_{};        // to be written
  std::optional<TimePoint> retry_at_{};  // after a failure
  bool failing_ = false;                 // logged once
};

}  // namespace weft::agent
