// SPDX-License-Identifier: Apache-2.0
#include "agent/feature_list.h"

#include <memory>
#include <utility>

#include "agent/pod_network_feature.h"
#include "service/nftables/backend.h"

namespace weft::agent {

Features::List make_features(const Config& config,
                             ServicesFeature::UdpFlowsChanged udp_flows_changed) {
  Features::List list;
  list.push_back(std::make_unique<PodNetworkFeature>(config));
  list.push_back(std::make_unique<ServicesFeature>(
      config, std::make_unique<service::NftablesBackend>(), std::move(udp_flows_changed)));
  return list;
}

}  // namespace weft::agent
