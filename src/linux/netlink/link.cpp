// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/link.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace weft::netlink {

namespace {

constexpr std::uint8_t kHairpin = 1;  // IFLA_BRPORT_MODE: BRIDGE_MODE_HAIRPIN

ifinfomsg header_of(const Link& link) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(link.index);
  if (link.up) {
    header.ifi_flags = *link.up ? IFF_UP : 0;
    header.ifi_change = IFF_UP;
  }
  return header;
}

void put_settings(Message& message, const Link& link) {
  if (link.mac) message.mac(IFLA_ADDRESS, *link.mac);
  if (link.mtu) message.u32(IFLA_MTU, *link.mtu);
  if (link.master) message.u32(IFLA_MASTER, *link.master);
  if (link.group) message.u32(IFLA_GROUP, *link.group);
}

// Else a veth has room for a queue a CPU, uses one, and waits two RCU grace periods for that.
void put_one_queue(Message& message) {
  message.u32(IFLA_NUM_TX_QUEUES, 1).u32(IFLA_NUM_RX_QUEUES, 1);
}

void put_type(Message&, std::monostate) {}  // the kernel refuses it

void put_type(Message& message, const Bridge& bridge) {
  message.text(IFLA_INFO_KIND, "bridge");
  if (bridge.stp) message.nest(IFLA_INFO_DATA, [&] { message.u32(IFLA_BR_STP_STATE, 1); });
}

void put_type(Message& message, const Vxlan& vxlan) {
  message.text(IFLA_INFO_KIND, "vxlan").nest(IFLA_INFO_DATA, [&] {
    message.u32(IFLA_VXLAN_ID, vxlan.vni)
        .be16(IFLA_VXLAN_PORT, vxlan.port)
        .u8(IFLA_VXLAN_LEARNING, 0)
        .address(vxlan.local.is_v4() ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, vxlan.local);
    if (vxlan.link != 0) message.u32(IFLA_VXLAN_LINK, vxlan.link);
    if (vxlan.ttl != 0) message.u8(IFLA_VXLAN_TTL, vxlan.ttl);
  });
}

void put_type(Message& message, const Veth& veth) {
  message.text(IFLA_INFO_KIND, "veth").nest(IFLA_INFO_DATA, [&] {
    message.nest(VETH_INFO_PEER, [&] {
      message.append(bytes_of(ifinfomsg{})).text(IFLA_IFNAME, veth.peer_name);
      put_one_queue(message);
      if (veth.peer_mac) message.mac(IFLA_ADDRESS, *veth.peer_mac);
      if (veth.peer_mtu) message.u32(IFLA_MTU, *veth.peer_mtu);
      if (veth.peer_netns >= 0)
        message.u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(veth.peer_netns));
    });
  });
}

void put_type_change(Message& message, const Bridge& bridge) {
  message.text(IFLA_INFO_KIND, "bridge").nest(IFLA_INFO_DATA, [&] {
    message.u32(IFLA_BR_STP_STATE, bridge.stp ? 1 : 0);
  });
}

void put_type_change(Message& message, const Vxlan& vxlan) {
  message.text(IFLA_INFO_KIND, "vxlan").nest(IFLA_INFO_DATA, [&] {
    message.u8(IFLA_VXLAN_TTL, vxlan.ttl);
  });
}

void parse_bridge(const Attribute& data, Link& link) {
  for (const Attribute attribute : nested(data))
    if (attribute.type() == IFLA_BR_STP_STATE) link.type = Bridge{attribute.u32() != 0};
}

void parse_vxlan(const Attribute& data, Link& link) {
  Vxlan vxlan;
  for (const Attribute attribute : nested(data)) {
    switch (attribute.type()) {
      case IFLA_VXLAN_ID:
        vxlan.vni = attribute.u32();
        break;
      case IFLA_VXLAN_PORT:
        vxlan.port = attribute.be16();
        break;
      case IFLA_VXLAN_LINK:
        vxlan.link = attribute.u32();
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
  link.type = vxlan;
}

void parse_type(const Attribute& info, Link& link) {
  bool bridge_port = false;
  for (const Attribute attribute : nested(info)) {
    switch (attribute.type()) {
      case IFLA_INFO_KIND:
        link.kind = attribute.text();
        if (link.kind == "bridge") link.type = Bridge{};
        if (link.kind == "vxlan") link.type = Vxlan{};
        if (link.kind == "veth") link.type = Veth{};
        break;
      case IFLA_INFO_DATA:
        if (link.kind == "bridge") parse_bridge(attribute, link);
        if (link.kind == "vxlan") parse_vxlan(attribute, link);
        break;
      case IFLA_INFO_SLAVE_KIND:
        bridge_port = attribute.text() == "bridge";
        break;
      case IFLA_INFO_SLAVE_DATA:
        if (!bridge_port) break;
        for (const Attribute port : nested(attribute)) {
          if (port.type() == IFLA_BRPORT_MODE) link.hairpin = port.u8() != 0;
          if (port.type() == IFLA_BRPORT_STATE) link.port_state = port.u8();
        }
        break;
      default:
        break;
    }
  }
}

// Asks for one link; nothing when the kernel has none such.
template <class Name>
Result<std::optional<Link>> find(Socket& socket, std::uint32_t index, Name put_name) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  Batch request;
  Message message = request.add(RTM_GETLINK, 0);
  message.header(header).u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  put_name(message);
  std::optional<Link> found;
  const auto got = socket.get(request, [&](const MessageView& view) { found = parse_link(view); });
  if (!got && got.error().code != ENODEV) return Failure(got.error());
  return found;
}

}  // namespace

void put_link(Batch& batch, const Link& link) {
  Message message = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.header(header_of(link)).text(IFLA_IFNAME, link.name);
  put_settings(message, link);
  if (std::holds_alternative<Veth>(link.type)) put_one_queue(message);
  message.nest(IFLA_LINKINFO,
               [&] { std::visit([&](const auto& type) { put_type(message, type); }, link.type); });
}

void put_link_change(Batch& batch, const Link& link) {
  Message message = batch.add(RTM_NEWLINK, 0);
  message.header(header_of(link));
  if (link.index == 0) message.text(IFLA_IFNAME, link.name);
  put_settings(message, link);
  if (!link.hairpin) return;
  // The kernel looks the port up in the bridge it is in before this request moves it.
  if (link.master) {
    Link port;
    port.index = link.index;
    port.name = link.name;
    port.hairpin = link.hairpin;
    put_link_change(batch, port);
    return;
  }
  message.nest(IFLA_LINKINFO, [&] {
    message.text(IFLA_INFO_SLAVE_KIND, "bridge").nest(IFLA_INFO_SLAVE_DATA, [&] {
      message.u8(IFLA_BRPORT_MODE, *link.hairpin ? kHairpin : 0);
    });
  });
}

void put_link_type_change(Batch& batch, const Link& link) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(link.index);
  const auto put = [&](const auto& type) {
    Message message = batch.add(RTM_NEWLINK, 0);
    message.header(header).nest(IFLA_LINKINFO, [&] { put_type_change(message, type); });
  };
  if (const auto* bridge = std::get_if<Bridge>(&link.type)) put(*bridge);
  if (const auto* vxlan = std::get_if<Vxlan>(&link.type)) put(*vxlan);
}

void put_link_rename(Batch& batch, std::uint32_t index, std::string_view name) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  batch.add(RTM_NEWLINK, 0).header(header).text(IFLA_IFNAME, name);
}

void put_link_removal(Batch& batch, std::string_view name) {
  batch.add(RTM_DELLINK, 0).header(ifinfomsg{}).text(IFLA_IFNAME, name);
}

void put_link_removal(Batch& batch, std::uint32_t index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  batch.add(RTM_DELLINK, 0).header(header);
}

Result<std::vector<Link>> list_links(Socket& socket) {
  Batch request;
  request.add(RTM_GETLINK, 0).header(ifinfomsg{}).u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  std::vector<Link> links;
  WEFT_TRY(socket.dump(
      request, [&](const MessageView& message) { links.push_back(parse_link(message)); },
      [&] { links.clear(); }));
  return links;
}

Result<std::optional<Link>> find_link(Socket& socket, std::string_view name) {
  return find(socket, 0, [&](Message& message) { message.text(IFLA_IFNAME, name); });
}

Result<std::optional<Link>> find_link(Socket& socket, std::uint32_t index) {
  return find(socket, index, [](Message&) {});
}

Link parse_link(const MessageView& message) {
  const auto header = message.body<ifinfomsg>();
  Link link;
  link.index = static_cast<std::uint32_t>(header.ifi_index);
  link.up = (header.ifi_flags & IFF_UP) != 0;
  link.master = 0;
  std::uint32_t peer = 0;
  for (const Attribute attribute : message.attributes<ifinfomsg>()) {
    switch (attribute.type()) {
      case IFLA_IFNAME:
        link.name = attribute.text();
        break;
      case IFLA_MTU:
        link.mtu = attribute.u32();
        break;
      case IFLA_ADDRESS:
        if (attribute.payload().size() == 6) link.mac = attribute.mac();
        break;
      case IFLA_MASTER:
        link.master = attribute.u32();
        break;
      case IFLA_GROUP:
        link.group = attribute.u32();
        break;
      case IFLA_LINK:
        peer = attribute.u32();
        break;
      case IFLA_LINKINFO:
        parse_type(attribute, link);
        break;
      default:
        break;
    }
  }
  if (auto* veth = std::get_if<Veth>(&link.type)) veth->peer_index = peer;
  return link;
}

}  // namespace weft::netlink
