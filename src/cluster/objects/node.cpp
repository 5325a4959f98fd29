// SPDX-License-Identifier: Apache-2.0
#include "cluster/objects/decode.h"
#include "cluster/objects/read.h"

namespace weft::cluster {

bool decode(const Field& object, model::Node& out) {
  out.name = cluster_name(object);
  out.labels = object["metadata"]["labels"].labels();
  object["status"]["addresses"].each([&](const Field& address) {
    if (address["type"].text() == "InternalIP")
      out.internal_ips.push_back(address["address"].address());
  });
  const Field spec = object["spec"];
  spec["podCIDRs"].each([&](const Field& cidr) { out.pod_cidrs.push_back(cidr.network()); });
  if (out.pod_cidrs.empty() && spec["podCIDR"].is_set())
    out.pod_cidrs.push_back(spec["podCIDR"].network());
  return true;
}

}  // namespace weft::cluster
