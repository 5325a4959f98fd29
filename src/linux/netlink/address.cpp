// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/address.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "linux/netlink/family.h"

namespace weft::netlink {

namespace {

ifaddrmsg header_of(const Address& address) {
  ifaddrmsg header{};
  header.ifa_family = family_number(address.prefix.family());
  header.ifa_prefixlen = address.prefix.length;
  header.ifa_scope = address.scope.value_or(
      address.prefix.address.is_loopback() ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE);
  header.ifa_index = address.link;
  return header;
}

void put(Batch& batch, const Address& address, std::uint16_t flags) {
  Message message = batch.add(RTM_NEWADDR, flags);
  message.header(header_of(address)).address(IFA_LOCAL, address.prefix.address);
  const bool v4 = address.prefix.family() == IpFamily::kIpv4;
  if (v4 || address.peer)
    message.address(IFA_ADDRESS, address.peer.value_or(address.prefix.address));
  if (address.broadcast) message.address(IFA_BROADCAST, *address.broadcast);
  const std::uint32_t marks = (address.flags & IFA_F_NOPREFIXROUTE) | (v4 ? 0 : IFA_F_NODAD);
  if (marks != 0) message.u32(IFA_FLAGS, marks);
}

}  // namespace

void put_address(Batch& batch, const Address& address) {
  put(batch, address, NLM_F_CREATE | NLM_F_REPLACE);
}

void put_new_address(Batch& batch, const Address& address) {
  put(batch, address, NLM_F_CREATE | NLM_F_EXCL);
}

void put_address_removal(Batch& batch, const Address& address) {
  Message message = batch.add(RTM_DELADDR, 0);
  message.header(header_of(address)).address(IFA_LOCAL, address.prefix.address);
  if (address.peer) message.address(IFA_ADDRESS, *address.peer);
}

Result<std::vector<Address>> list_addresses(Socket& socket, std::uint32_t link) {
  ifaddrmsg header{};
  header.ifa_family = AF_UNSPEC;
  header.ifa_index = link;
  Batch request;
  request.add(RTM_GETADDR, 0).header(header);
  std::vector<Address> addresses;
  const auto take = [&](const MessageView& message) {
    const Address address = parse_address(message);
    if (link == 0 || address.link == link) addresses.push_back(address);
  };
  const auto dumped = socket.dump(request, take, [&] { addresses.clear(); });
  if (!dumped && dumped.error().code != ENODEV) return Failure(dumped.error());
  return addresses;
}

Address parse_address(const MessageView& message) {
  const auto header = message.body<ifaddrmsg>();
  Address address;
  address.link = header.ifa_index;
  address.flags = header.ifa_flags;
  address.scope = header.ifa_scope;
  std::optional<IpAddress> local;
  std::optional<IpAddress> other;
  for (const Attribute attribute : message.attributes<ifaddrmsg>()) {
    switch (attribute.type()) {
      case IFA_LOCAL:
        local = attribute.address();
        break;
      case IFA_ADDRESS:  // of a point-to-point link the other end's, else the same
        other = attribute.address();
        break;
      case IFA_BROADCAST:
        address.broadcast = attribute.address();
        break;
      case IFA_FLAGS:
        address.flags = attribute.u32();
        break;
      default:
        break;
    }
  }
  address.prefix.address = local ? *local : other.value_or(IpAddress{});
  if (local && other != local) address.peer = other;
  address.prefix.length = header.ifa_prefixlen;
  return address;
}

}  // namespace weft::netlink
