// SPDX-License-Identifier: Apache-2.0
//
// A manifest's text as the model's objects. Pure. JSON, however large, goes through simdjson
// (10,000 Services with 10 endpoints each in a fraction of a second); YAML through yaml-cpp, which
// takes seconds for that.
//
// As the API's clients do: unknown fields are ignored, null is missing, a missing namespace is
// "default". Kinds we do not know are listed and left alone. Sources: Kubernetes API reference,
// core/v1 (Namespace, Node, Pod, Service) and discovery.k8s.io/v1 (EndpointSlice).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/cluster_state.h"

namespace weft::cluster {

struct Manifest {
  std::vector<model::Object> objects{};
  std::set<std::string> unknown_kinds{};  // "apps/v1 Deployment"
};

// Fails on the first thing that is wrong: file, line, object, field and value, as in
// "web.yaml:12: Service default/web: spec.ports[0].port: must be a number from 1 to 65535, not 0".
Result<Manifest> decode_manifest(std::string_view text, std::string_view file);

}  // namespace weft::cluster
