// SPDX-License-Identifier: Apache-2.0
//
// MAC addresses that follow from a node's IP address, so that they are the same after a restart and
// peers can tell them without being told: locally administered, `kind` apart, and the last four
// bytes are the address's.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/bytes.h"

namespace weft::podnet {

inline MacAddress derived_mac(std::uint8_t kind, const IpAddress& address) {
  const Bytes tail = address.bytes().last(4);
  return {{0x02, kind, tail[0], tail[1], tail[2], tail[3]}};
}

}  // namespace weft::podnet
