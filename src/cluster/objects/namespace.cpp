// SPDX-License-Identifier: Apache-2.0
#include "cluster/objects/decode.h"
#include "cluster/objects/read.h"

namespace weft::cluster {

bool decode(const Field& object, model::Namespace& out) {
  out = {cluster_name(object), object["metadata"]["labels"].labels()};
  return true;
}

}  // namespace weft::cluster
