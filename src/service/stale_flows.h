// SPDX-License-Identifier: Apache-2.0
//
// Which tracked UDP flows a change of Services leaves behind. UDP has no end that conntrack could
// see: a client that goes on sending keeps its flow, and with it the translation it began with, to
// a backend that is gone, or to none at all (kubernetes issues 19029 and 139628). So the flows are
// removed, after the change has been written, and the next packet makes a new choice. TCP needs
// none of this: its peer resets, and the client connects anew.
#pragma once

#include <span>
#include <vector>

#include "model/service_table.h"

namespace weft::service {

// Flows that clients began by sending to `frontend` and that `backend` answers (conntrack's reply
// source). Where it is the frontend itself they were never translated.
struct StaleFlow {
  model::Frontend frontend{};
  model::Backend backend{};
  bool operator==(const StaleFlow&) const = default;
};

// A backend that a UDP frontend no longer has; and, of one that had none before, what was not
// translated. Pure; the cost follows the changes.
std::vector<StaleFlow> stale_udp_flows(std::span<const model::FrontendChange> changes);

}  // namespace weft::service
