// SPDX-License-Identifier: Apache-2.0
// What the kernel says of this node's underlay: the link that carries its InternalIP.
#pragma once

#include <cstdint>
#include <string>

#include "base/address.h"

namespace weft::podnet {

struct Underlay {
  std::string link{};
  std::uint32_t mtu = 1500;
  IpAddress address{};
  bool has_ipv6 = true;  // the node, whatever the underlay carries
  bool operator==(const Underlay&) const = default;
};

}  // namespace weft::podnet
