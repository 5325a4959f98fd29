// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/link.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "linux/netlink/link_type_messages.h"

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

void parse_type(const Attribute& info, Link& link) {
  bool bridge_port = false;
  for (const Attribute attribute : nested(info)) {
    switch (attribute.type()) {
      case IFLA_INFO_KIND:
        link.kind = attribute.text();
        link.type = type_of(link.kind);
        break;
      case IFLA_INFO_DATA:
        parse_type_data(attribute, link);
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

// Takes from a link that is to be created what must wait until it is there.
Link take_later(Link& link) {
  Link later;
  later.name = link.name;
  later.hairpin = std::exchange(link.hairpin, std::nullopt);  // of the port, which must exist
  // A bridge keeps to an MTU only when it is set on the finished bridge; one that was given at its
  // creation goes with the last port (br_mtu_auto_adjust).
  if (std::holds_alternative<Bridge>(link.type)) later.mtu = std::exchange(link.mtu, std::nullopt);
  // A UDP port is taken when the link comes up. One that cannot stays, down: to make and remove it
  // at every attempt would be told to the whole node each time.
  if (udp_port(link.type)) later.up = std::exchange(link.up, std::nullopt);
  return later;
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
  Link first = link;
  const Link later = take_later(first);
  Message message = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.header(header_of(first)).text(IFLA_IFNAME, first.name);
  put_settings(message, first);
  if (is_pair(first.type)) put_one_queue(message);
  message.nest(IFLA_LINKINFO, [&] { put_type(message, first); });
  if (later.up || later.mtu || later.hairpin) put_link_change(batch, later);
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
  Message message = batch.add(RTM_NEWLINK, 0);
  message.header(header).nest(IFLA_LINKINFO, [&] { put_type_settings(message, link.type); });
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
      case IFLA_LINKINFO:
        parse_type(attribute, link);
        break;
      default:
        break;
    }
  }
  return link;
}

}  // namespace weft::netlink
