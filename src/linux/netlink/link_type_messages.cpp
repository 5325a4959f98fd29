// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/link_type_messages.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <type_traits>

namespace weft::netlink {

namespace {

void put_identity(Message&, const Bridge&, const Link&) {}
void put_settings(Message& message, const Bridge& bridge) {
  message.u32(IFLA_BR_STP_STATE, bridge.stp ? 1 : 0);
}
void parse(const Attribute& attribute, Bridge& bridge, Link&) {
  if (attribute.type() == IFLA_BR_STP_STATE) bridge.stp = attribute.u32() != 0;
}

void put_identity(Message& message, const Vxlan& vxlan, const Link& link) {
  message.u32(IFLA_VXLAN_ID, vxlan.vni)
      .be16(IFLA_VXLAN_PORT, vxlan.port)
      .u8(IFLA_VXLAN_LEARNING, 0)
      .address(vxlan.local.is_v4() ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, vxlan.local);
  if (link.lower != 0) message.u32(IFLA_VXLAN_LINK, link.lower);
}
void put_settings(Message& message, const Vxlan& vxlan) { message.u8(IFLA_VXLAN_TTL, vxlan.ttl); }
void parse(const Attribute& attribute, Vxlan& vxlan, Link& link) {
  switch (attribute.type()) {
    case IFLA_VXLAN_ID:
      vxlan.vni = attribute.u32();
      break;
    case IFLA_VXLAN_PORT:
      vxlan.port = attribute.be16();
      break;
    case IFLA_VXLAN_LINK:
      link.lower = attribute.u32();
      break;
    case IFLA_VXLAN_TTL:
      vxlan.ttl = attribute.u8();
      break;
    case IFLA_VXLAN_LOCAL:
    case IFLA_VXLAN_LOCAL6:
      vxlan.local = attribute.address();
      break;
    default:
      break;
  }
}

// The inside of VETH_INFO_PEER: a link's own message.
void put_peer(Message& message, const Peer& peer, int netns) {
  message.append(bytes_of(ifinfomsg{})).text(IFLA_IFNAME, peer.name);
  put_one_queue(message);
  if (peer.mac) message.mac(IFLA_ADDRESS, *peer.mac);
  if (peer.mtu) message.u32(IFLA_MTU, *peer.mtu);
  if (netns >= 0) message.u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(netns));
}

void put_identity(Message& message, const Veth& veth, const Link& link) {
  message.nest(VETH_INFO_PEER, [&] { put_peer(message, veth.peer, link.peer_netns); });
}
void put_settings(Message&, const Veth&) {}
void parse(const Attribute&, Veth&, Link&) {}

// Calls `visit` with the type, but not with a monostate.
template <class Type, class Visit>
void with_known(Type& type, Visit visit) {
  std::visit(
      [&](auto& known) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(known)>, std::monostate>) visit(known);
      },
      type);
}

template <class... Types>
LinkType find_kind(std::string_view kind, const std::variant<std::monostate, Types...>*) {
  LinkType found;
  (void)((kind == Types::kKind && (found = Types{}, true)) || ...);
  return found;
}

}  // namespace

void put_one_queue(Message& message) {
  message.u32(IFLA_NUM_TX_QUEUES, 1).u32(IFLA_NUM_RX_QUEUES, 1);
}

void put_type(Message& message, const Link& link) {
  with_known(link.type, [&](const auto& type) {
    message.text(IFLA_INFO_KIND, type.kKind).nest(IFLA_INFO_DATA, [&] {
      put_identity(message, type, link);
      put_settings(message, type);
    });
  });
}

void put_type_settings(Message& message, const LinkType& type) {
  with_known(type, [&](const auto& known) {
    message.text(IFLA_INFO_KIND, known.kKind).nest(IFLA_INFO_DATA, [&] {
      put_settings(message, known);
    });
  });
}

LinkType type_of(std::string_view kind) {
  return find_kind(kind, static_cast<const LinkType*>(nullptr));
}

void parse_type_data(const Attribute& data, Link& link) {
  with_known(link.type, [&](auto& type) {
    for (const Attribute attribute : nested(data)) parse(attribute, type, link);
  });
}

}  // namespace weft::netlink
