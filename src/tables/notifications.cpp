// SPDX-License-Identifier: Apache-2.0
#include "tables/notifications.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "linux/netlink/address.h"
#include "linux/netlink/link.h"
#include "linux/netlink/neighbor.h"
#include "linux/netlink/route.h"
#include "tables/kinds.h"
#include "tables/names.h"
#include "tables/nft.h"

namespace weft::tables {

namespace {

// ifi_change of a link that was just made (rtnl_configure_link in net/core/rtnetlink.c).
constexpr std::uint32_t kNewLink = ~0U;

}  // namespace

Notifications::Touched Notifications::collect() { return std::exchange(touched_, {}); }

void Notifications::take_route(const netlink::MessageView& message) {
  switch (message.type()) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return take_link(message);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return take_address(message);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      return take_neighbor(message);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return take_route_entry(message);
    case RTM_NEWNETCONF:
      return take_configuration(message);
    default:
      return;
  }
}

void Notifications::take_netfilter(const netlink::MessageView& message) {
  if (NFNL_SUBSYS_ID(message.type()) != NFNL_SUBSYS_NFTABLES) return;
  // Attribute 1 of every message is its table's name, but that of the generation's, which comes
  // with every transaction.
  if (NFNL_MSG_TYPE(message.type()) == NFT_MSG_NEWGEN) return;
  for (const netlink::Attribute attribute : message.attributes<nfgenmsg>())
    if (attribute.type() == NFTA_TABLE_NAME && attribute.text().starts_with(kNftTablePrefix))
      touched_.kinds.insert(NftKind::kName);
}

Notifications::Known Notifications::classify(const netlink::MessageView& message) const {
  const netlink::Link link = netlink::parse_link(message);
  Known known;
  known.learns = !std::holds_alternative<netlink::Vxlan>(link.type);
  if (owned_.contains(link.name))
    known.whose = Whose::kOurs;
  else if (link.group == kPodLinkGroup)
    known.whose = Whose::kPods;
  known.detached = known.whose == Whose::kPods && link.up.value_or(false) && link.master == 0;
  return known;
}

Notifications::Known Notifications::known(std::uint32_t index) {
  if (const auto found = links_.find(index); found != links_.end()) return found->second;
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  netlink::Batch request;
  request.add(RTM_GETLINK, 0).header(header);
  Known answer;
  const auto got =
      socket_.get(request, [&](const netlink::MessageView& link) { answer = classify(link); });
  answer.detached = false;  // since when, its own message tells
  if (got) links_[index] = answer;
  return answer;
}

void Notifications::take_link(const netlink::MessageView& message) {
  const auto header = message.body<ifinfomsg>();
  // A bridge tells of its ports' state in messages of its own family.
  if (header.ifi_family != AF_UNSPEC) return;
  const auto index = static_cast<std::uint32_t>(header.ifi_index);
  const Known now = classify(message);
  const auto before = links_.find(index);
  const bool was_ours = before != links_.end() && before->second.whose == Whose::kOurs;
  // A pod that comes is told of, up, just before it is attached; one that goes is down by then.
  const bool was_detached =
      before != links_.end() ? before->second.detached : header.ifi_change == kNewLink;
  if (message.type() == RTM_DELLINK)
    links_.erase(index);
  else
    links_[index] = now;
  if (now.whose == Whose::kOurs || was_ours) {  // also one that was renamed away
    touched_.kinds.insert({LinkKind::kName, AddressKind::kName, NeighborKind::kName, FdbKind::kName,
                           RouteKind::kName, SysctlKind::kName});
  } else if (now.whose == Whose::kOthers) {
    touched_.kinds.insert({LinkKind::kName, RouteKind::kName});  // a VXLAN's underlay, a next hop's
    touched_.underlay = true;
  } else if (now.detached && !was_detached) {
    touched_.kinds.insert(LinkKind::kName);
  }
}

void Notifications::take_address(const netlink::MessageView& message) {
  switch (known(netlink::parse_address(message).link).whose) {
    case Whose::kPods:
      return;
    case Whose::kOurs:
      touched_.kinds.insert(AddressKind::kName);
      break;
    case Whose::kOthers:
      touched_.underlay = true;
      break;
  }
  // A route whose source address goes, goes with it.
  if (message.type() == RTM_DELADDR) touched_.kinds.insert(RouteKind::kName);
}

void Notifications::take_neighbor(const netlink::MessageView& message) {
  const auto header = message.body<ndmsg>();
  const Known link = known(static_cast<std::uint32_t>(header.ndm_ifindex));
  if (link.whose != Whose::kOurs) return;
  if (header.ndm_family == AF_BRIDGE) {
    if ((header.ndm_flags & NTF_SELF) != 0) touched_.kinds.insert(FdbKind::kName);
    return;
  }
  const bool permanent = (header.ndm_state & NUD_PERMANENT) != 0;
  if (permanent || !link.learns) touched_.kinds.insert(NeighborKind::kName);
}

void Notifications::take_route_entry(const netlink::MessageView& message) {
  const netlink::Route route = netlink::parse_route(message);
  if (route.table != RT_TABLE_MAIN) return;
  // Another's route may take the place of ours.
  const bool replaces =
      message.type() == RTM_NEWROUTE && (message.header().nlmsg_flags & NLM_F_REPLACE) != 0;
  if (route.protocol == kRouteProtocol || replaces)
    touched_.kinds.insert(RouteKind::kName);
  else if (message.type() == RTM_DELROUTE)
    touched_.others_route = true;
}

// A sysctl that was written is told of by itself; a link that comes, with all of its own.
void Notifications::take_configuration(const netlink::MessageView& message) {
  std::int32_t link = 0;
  std::size_t sysctls = 0;
  for (const netlink::Attribute attribute : message.attributes<netconfmsg>()) {
    if (attribute.type() == NETCONFA_IFINDEX)
      link = static_cast<std::int32_t>(attribute.u32());
    else
      ++sysctls;
  }
  if (sysctls != 1) return;
  const bool is_ours = link > 0 && known(static_cast<std::uint32_t>(link)).whose == Whose::kOurs;
  if (is_ours || link == NETCONFA_IFINDEX_ALL) touched_.kinds.insert(SysctlKind::kName);
}

}  // namespace weft::tables
