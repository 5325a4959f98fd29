// SPDX-License-Identifier: Apache-2.0
// AF_INET or AF_INET6, as rtnetlink's headers want them.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "base/address.h"

namespace weft::netlink {

constexpr std::uint8_t family_number(IpFamily family) {
  return family == IpFamily::kIpv4 ? AF_INET : AF_INET6;
}

}  // namespace weft::netlink
