// SPDX-License-Identifier: Apache-2.0
#include "agent/underlay.h"

#include <algorithm>

#include "linux/netlink/address.h"
#include "linux/netlink/link.h"
#include "linux/sysctl.h"

namespace weft::agent {

Result<std::optional<podnet::Underlay>> find_underlay(netlink::Socket& socket,
                                                      const IpAddress& internal_ip) {
  WEFT_ASSIGN(const auto addresses, netlink::list_addresses(socket, 0), "list addresses");
  const auto found = std::find_if(
      addresses.begin(), addresses.end(),
      [&](const netlink::Address& address) { return address.prefix.address == internal_ip; });
  if (found == addresses.end()) return std::nullopt;
  WEFT_ASSIGN(const auto link, netlink::find_link(socket, found->link), "underlay link");
  if (!link) return std::nullopt;  // gone since the address was read
  podnet::Underlay underlay{.link = link->name, .address = internal_ip};
  if (link->mtu) underlay.mtu = *link->mtu;
  WEFT_ASSIGN(const auto ipv6, read_sysctl("net/ipv6/conf/all/accept_ra"));
  underlay.has_ipv6 = ipv6.has_value();
  return underlay;
}

}  // namespace weft::agent
