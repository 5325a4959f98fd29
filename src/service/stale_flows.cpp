// SPDX-License-Identifier: Apache-2.0
#include "service/stale_flows.h"

#include <algorithm>
#include <optional>

namespace weft::service {
namespace {

using model::Backend;
using model::FrontendEntry;

bool lists(const std::optional<FrontendEntry>& entry, const Backend& backend) {
  return entry &&
         std::any_of(entry->backends.begin(), entry->backends.end(), [&](const Backend& other) {
           return other.address == backend.address && other.port == backend.port;
         });
}

bool has_backends(const std::optional<FrontendEntry>& entry) {
  return entry && !entry->backends.empty();
}

}  // namespace

std::vector<StaleFlow> stale_udp_flows(std::span<const model::FrontendChange> changes) {
  std::vector<StaleFlow> flows;
  for (const model::FrontendChange& change : changes) {
    if (change.frontend.protocol != model::Protocol::kUdp) continue;
    if (has_backends(change.previous)) {
      for (const Backend& backend : change.previous->backends)
        if (!lists(change.current, backend))
          flows.push_back({change.frontend, {backend.address, backend.port, false}});
    } else if (has_backends(change.current)) {
      flows.push_back({change.frontend, {change.frontend.address, change.frontend.port, false}});
    }
  }
  return flows;
}

}  // namespace weft::service
