// SPDX-License-Identifier: Apache-2.0
// Which features the agent has, by its configuration; the one place that names them.
#pragma once

#include "agent/config.h"
#include "agent/features.h"
#include "agent/services_feature.h"

namespace weft::agent {

// `udp_flows_changed`: see ServicesFeature.
Features::List make_features(const Config& config,
                             ServicesFeature::UdpFlowsChanged udp_flows_changed);

}  // namespace weft::agent
