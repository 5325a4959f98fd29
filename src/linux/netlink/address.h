// SPDX-License-Identifier: Apache-2.0
//
// Addresses on links over rtnetlink. IPv6 addresses come without duplicate address detection: ours
// are allocated, and a pod may not wait two seconds for its own.
// Source: include/uapi/linux/if_addr.h, net/ipv4/devinet.c, net/ipv6/addrconf.c.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "linux/netlink/message.h"
#include "linux/netlink/socket.h"

namespace weft::netlink {

struct Address {
  std::uint32_t link = 0;  // index
  Prefix prefix{};         // with its host bits
  // To write: IFA_F_NOPREFIXROUTE. As read also IFA_F_TENTATIVE, IFA_F_DADFAILED, IFA_F_PERMANENT …
  std::uint32_t flags = 0;
  std::optional<std::uint8_t> scope{};   // unset: RT_SCOPE_HOST of a loopback address, or universe
  std::optional<IpAddress> broadcast{};  // IPv4
  std::optional<IpAddress> peer{};       // the other end of a point-to-point link
};

void put_address(Batch& batch, const Address& address);  // adds it; success where it is there
// EEXIST where it is there, of IPv6 also with another prefix length: an address stands once on a
// link then, and put_address would be acknowledged and leave the length (inet6_addr_modify).
void put_new_address(Batch& batch, const Address& address);
void put_address_removal(Batch& batch,
                         const Address& address);  // EADDRNOTAVAIL where there is none

// Of the link with this index (none where there is no such link), or of all links (0).
Result<std::vector<Address>> list_addresses(Socket& socket, std::uint32_t link);

Address parse_address(const MessageView& message);  // an RTM_NEWADDR or RTM_DELADDR

}  // namespace weft::netlink
