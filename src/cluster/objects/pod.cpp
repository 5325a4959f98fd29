// SPDX-License-Identifier: Apache-2.0
#include "cluster/objects/decode.h"
#include "cluster/objects/read.h"

namespace weft::cluster {

bool decode(const Field& object, model::Pod& out) {
  out.name = namespaced_name(object);
  out.labels = object["metadata"]["labels"].labels();
  out.node_name = object["spec"]["nodeName"].text();
  out.host_network = object["spec"]["hostNetwork"].flag(false);
  const Field status = object["status"];
  status["podIPs"].each([&](const Field& ip) { out.ips.push_back(ip["ip"].address()); });
  if (out.ips.empty() && status["podIP"].is_set()) out.ips.push_back(status["podIP"].address());
  status["conditions"].each([&](const Field& condition) {
    if (condition["type"].text() == "Ready") out.ready = condition["status"].text() == "True";
  });
  return true;
}

}  // namespace weft::cluster
