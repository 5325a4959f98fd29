// SPDX-License-Identifier: Apache-2.0
#include "model/objects.h"

namespace weft::model {

std::string ObjectName::to_string() const {
  return name_space.empty() ? name : name_space + "/" + name;
}

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp:
      return "TCP";
    case Protocol::kUdp:
      return "UDP";
    case Protocol::kSctp:
      return "SCTP";
  }
  return "?";
}

}  // namespace weft::model
