// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/neighbor.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "linux/netlink/family.h"

namespace weft::netlink {

namespace {

ndmsg header_of(const Neighbor& neighbor) {
  ndmsg header{};
  header.ndm_family = family_number(neighbor.address.family());
  header.ndm_ifindex = static_cast<int>(neighbor.link);
  return header;
}

}  // namespace

void put_neighbor(Batch& batch, const Neighbor& neighbor) {
  ndmsg header = header_of(neighbor);
  header.ndm_state = NUD_PERMANENT;
  batch.add(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE)
      .header(header)
      .address(NDA_DST, neighbor.address)
      .mac(NDA_LLADDR, neighbor.mac);
}

void put_neighbor_removal(Batch& batch, const Neighbor& neighbor) {
  batch.add(RTM_DELNEIGH, 0).header(header_of(neighbor)).address(NDA_DST, neighbor.address);
}

Result<std::vector<Neighbor>> list_neighbors(Socket& socket, std::uint32_t link) {
  Batch request;
  Message message = request.add(RTM_GETNEIGH, 0);
  message.header(ndmsg{});
  if (link != 0) message.u32(NDA_IFINDEX, link);
  std::vector<Neighbor> neighbors;
  const auto take = [&](const MessageView& view) {
    if (view.body<ndmsg>().ndm_family != AF_INET && view.body<ndmsg>().ndm_family != AF_INET6)
      return;
    const Neighbor neighbor = parse_neighbor(view);
    if (link == 0 || neighbor.link == link) neighbors.push_back(neighbor);
  };
  WEFT_TRY(socket.dump(request, take, [&] { neighbors.clear(); }));
  return neighbors;
}

Neighbor parse_neighbor(const MessageView& message) {
  const auto header = message.body<ndmsg>();
  Neighbor neighbor;
  neighbor.link = static_cast<std::uint32_t>(header.ndm_ifindex);
  neighbor.state = header.ndm_state;
  for (const Attribute attribute : message.attributes<ndmsg>()) {
    if (attribute.type() == NDA_DST) neighbor.address = attribute.address();
    if (attribute.type() == NDA_LLADDR) neighbor.mac = attribute.mac();
  }
  return neighbor;
}

}  // namespace weft::netlink
