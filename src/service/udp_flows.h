// SPDX-License-Identifier: Apache-2.0
//
// Which tracked UDP flows a change of Services leaves behind. UDP has no end that conntrack could
// see: a client that goes on sending keeps its flow, and with it the translation it began with, to
// a backend that is gone, or to none at all (kubernetes issues 19029 and 139628). So the flows are
// removed, after the change has been written, and the next packet makes a new choice. TCP needs
// none of this: its peer resets, and the client connects anew.
#pragma once

#include <vector>

#include "model/service_table.h"

namespace weft::service {

// Flows that clients began by sending to `frontend` and that `backend` answers (conntrack's reply
// source). Where it is the frontend itself they were never translated.
struct UdpFlow {
  model::Frontend frontend{};
  model::Backend backend{};
  bool operator==(const UdpFlow&) const = default;
};

struct UdpFlows {
  // To a backend that a UDP frontend no longer has; and, of one that had none before, what was not
  // translated.
  std::vector<UdpFlow> stale{};
  std::vector<UdpFlow> served{};  // to a backend that it has, and had not before
};

// `table` already has the delta in it. Pure; the cost follows the delta.
UdpFlows udp_flows(const model::ServiceTable& table, const model::ServiceDelta& changed);

}  // namespace weft::service
