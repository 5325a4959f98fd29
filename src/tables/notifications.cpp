// SPDX-License-Identifier: Apache-2.0
#include "tables/notifications.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "linux/netlink/address.h"
#include "linux/netlink/link.h"
#include "linux/netlink/neighbor.h"
#include "linux/netlink/route.h"
#include "linux/netlink/rule.h"
#include "tables/kinds.h"
#include "tables/nft.h"

namespace weft::tables {

namespace {

// ifi_change of a link that was just made (rtnl_configure_link in net/core/rtnetlink.c).
constexpr std::uint32_t kNewLink = ~0U;

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

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
    case RTM_NEWRULE:
    case RTM_DELRULE:
      if (netlink::parse_rule(message).protocol == ownership_.protocol) touch({RuleKind::kName});
      return;
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
    if (attribute.type() == NFTA_TABLE_NAME && contains(ownership_.nft_tables, attribute.text()))
      touch({std::string(NftKind::kName) + " " + std::string(attribute.text())});
}

Notifications::Known Notifications::classify(const netlink::MessageView& message) const {
  const netlink::Link link = netlink::parse_link(message);
  Known known;
  known.name = link.name;
  known.up = link.up.value_or(false);
  known.mtu = link.mtu.value_or(0);
  known.master = link.master.value_or(0);
  known.port = ownership_.port_group != 0 && link.group == ownership_.port_group;
  known.learns = !std::holds_alternative<netlink::Vxlan>(link.type);
  known.detached = known.port && known.up && known.master == 0;
  return known;
}

Notifications::Whose Notifications::whose(const Known& link) const {
  if (contains(ownership_.links, link.name)) return Whose::kOurs;
  if (underlay_.links.contains(link.name)) return Whose::kUnderlay;
  return link.port ? Whose::kPods : Whose::kOthers;
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
  const bool gone = message.type() == RTM_DELLINK;
  const Known now = classify(message);
  const auto found = links_.find(index);
  const std::optional<Known> before =
      found != links_.end() ? std::optional(found->second) : std::nullopt;
  // A pod that comes is told of, up, just before it is attached; one that goes is down by then.
  const bool was_detached = before ? before->detached : header.ifi_change == kNewLink;
  if (gone)
    links_.erase(index);
  else
    links_[index] = now;
  // Also of one that was renamed away.
  const auto is = [&](Whose who) { return whose(now) == who || (before && whose(*before) == who); };
  // One that is new may have been asked for before it told of itself.
  const bool anew = gone || header.ifi_change == kNewLink || !before || before->name != now.name ||
                    before->mtu != now.mtu;
  if (is(Whose::kOurs)) {
    touch({LinkKind::kName, AddressKind::kName, NeighborKind::kName, FdbKind::kName,
           RouteKind::kName, SysctlKind::kName});
    touched_.links_anew = touched_.links_anew || anew;
  }
  if (is(Whose::kUnderlay) && (anew || before->up != now.up || before->master != now.master)) {
    touch({LinkKind::kName, RouteKind::kName, SysctlKind::kName});
    touched_.underlay = true;
    touched_.links_anew = touched_.links_anew || anew;
  }
  if (whose(now) == Whose::kPods && now.detached && !was_detached) touch({LinkKind::kName});
}

void Notifications::take_address(const netlink::MessageView& message) {
  const netlink::Address address = netlink::parse_address(message);
  const Whose who = whose(known(address.link));
  const bool gone = message.type() == RTM_DELADDR;
  const bool is_underlays = underlay_.addresses.contains(address.prefix.address);
  if (who == Whose::kOurs) touch({AddressKind::kName});
  // Where it was found it may be told of as often as a router advertises it.
  if (is_underlays && (gone || who != Whose::kUnderlay)) {
    touch({SysctlKind::kName});
    touched_.underlay = true;
    touched_.links_anew = true;  // the link that has it now may be new; nobody asked for it before
  }
  // A route whose source address goes, goes with it; with a link's last address all of its routes.
  if (gone && (is_underlays || who == Whose::kOurs || who == Whose::kUnderlay))
    touch({RouteKind::kName});
}

void Notifications::take_neighbor(const netlink::MessageView& message) {
  const auto header = message.body<ndmsg>();
  // A bridge's own are none of ours.
  if (header.ndm_family == AF_BRIDGE && (header.ndm_flags & NTF_SELF) == 0) return;
  const Known link = known(static_cast<std::uint32_t>(header.ndm_ifindex));
  if (whose(link) != Whose::kOurs) return;
  if (header.ndm_family == AF_BRIDGE) {
    touch({FdbKind::kName});
    return;
  }
  const bool permanent = (header.ndm_state & NUD_PERMANENT) != 0;
  if (permanent || !link.learns) touch({NeighborKind::kName});
}

void Notifications::take_route_entry(const netlink::MessageView& message) {
  const netlink::Route route = netlink::parse_route(message);
  const auto& tables = ownership_.route_tables;
  if (std::find(tables.begin(), tables.end(), route.table) == tables.end()) return;
  const bool gone = message.type() == RTM_DELROUTE;
  if (route.protocol == ownership_.protocol)
    touch({RouteKind::kName});
  else if (gone)
    touched_.others_route = true;
  else if ((message.header().nlmsg_flags & NLM_F_REPLACE) != 0)
    touched_.replaced.push_back({route.destination, route.metric, route.table});
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
  const bool is_ours = link > 0 && whose(known(static_cast<std::uint32_t>(link))) == Whose::kOurs;
  if (is_ours || link == NETCONFA_IFINDEX_ALL) touch({SysctlKind::kName});
}

}  // namespace weft::tables
