// SPDX-License-Identifier: Apache-2.0
#include "cluster/objects/read.h"

#include <utility>

namespace weft::cluster {

std::string required_text(const Field& field) {
  std::string text = field.text();
  if (text.empty()) field.refuse("is missing");
  return text;
}

model::ObjectName cluster_name(const Field& object) {
  return {"", required_text(object["metadata"]["name"])};
}

model::ObjectName namespaced_name(const Field& object) {
  const Field metadata = object["metadata"];
  std::string name_space = metadata["namespace"].text();
  if (name_space.empty()) name_space = "default";
  return {std::move(name_space), required_text(metadata["name"])};
}

model::Protocol protocol_of(const Field& field) {
  const std::string text = field.text("TCP");
  if (text == "UDP") return model::Protocol::kUdp;
  if (text == "SCTP") return model::Protocol::kSctp;
  if (text != "TCP") field.refuse("must be TCP, UDP or SCTP");
  return model::Protocol::kTcp;
}

}  // namespace weft::cluster
