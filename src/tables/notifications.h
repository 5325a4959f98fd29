// SPDX-License-Identifier: Apache-2.0
//
// What a kernel notification touches: the kinds whose entries of ours may have changed (of nft:
// which table's), and whether the underlay may have. Everything that cannot be ours is passed over
// (pods' links, unless one loses its bridge, links that are nobody of ours, their addresses,
// neighbors and routes, other people's nft objects), so that a busy node does not read its tables
// for nothing: for a link that is neither ours nor the underlay nothing is read. It may name a kind
// too many, never one too few.
//
// The kernel takes routes and neighbors along silently when a link goes down, and a link that is
// made anew has lost everything: a change of a link touches all that rests on it.
#pragma once

#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "linux/netlink/message.h"
#include "linux/netlink/socket.h"
#include "tables/kinds.h"
#include "tables/ownership.h"

namespace weft::tables {

class Notifications {
 public:
  // The groups to listen to, for netlink::Listener.
  static constexpr std::uint32_t kRouteGroups[] = {
      RTNLGRP_LINK,         RTNLGRP_NEIGH,        RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
      RTNLGRP_IPV4_ROUTE,   RTNLGRP_IPV6_ROUTE,   RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,
      RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
  };
  static constexpr std::uint32_t kNetfilterGroups[] = {NFNLGRP_NFTABLES};

  // `socket` (NETLINK_ROUTE, the listener's namespace) is asked which link an index is that was not
  // heard of, once an index.
  Notifications(netlink::Socket& socket, Ownership ownership)
      : socket_(socket), ownership_(std::move(ownership)) {}

  // What is not ours but what ours rests on: the links that routes and VXLAN links of ours lead
  // through, and the addresses by which those are found, or which are a source of our routes.
  struct Underlay {
    std::set<std::string, std::less<>> links{};
    std::set<IpAddress> addresses{};
  };
  void rest_on(Underlay underlay) { underlay_ = std::move(underlay); }

  // Notifications were lost: what they told before may be wrong now.
  void forget() { links_.clear(); }

  struct Touched {
    // As Reconciler::mark() takes them: kName of LinkKind, RouteKind, …, or "nft weft-podnet".
    std::set<std::string, std::less<>> kinds{};
    bool underlay = false;      // one of its links changed, or its addresses moved
    bool links_anew = false;    // one of ours or of the underlay has (or has lost) its sysctls
    bool others_route = false;  // one that may have stood in the way of ours went
    std::vector<RouteKind::Key> replaced{};  // by another's route, if they were ours
  };

  void take_route(const netlink::MessageView& message);      // from a NETLINK_ROUTE listener
  void take_netfilter(const netlink::MessageView& message);  // from a NETLINK_NETFILTER listener

  // What was touched since the last call.
  Touched collect();

 private:
  enum class Whose { kOurs, kPods, kUnderlay, kOthers };
  struct Known {
    std::string name{};
    bool up = false;
    std::uint32_t mtu = 0;
    std::uint32_t master = 0;
    bool port = false;      // a pod's, by its group
    bool learns = false;    // its neighbors come and go by themselves: only permanent ones matter
    bool detached = false;  // a port that is up and on no bridge
  };

  void touch(std::initializer_list<std::string_view> kinds) {
    for (const std::string_view kind : kinds) touched_.kinds.emplace(kind);
  }
  Known known(std::uint32_t index);
  Known classify(const netlink::MessageView& message) const;
  Whose whose(const Known& link) const;
  void take_link(const netlink::MessageView& message);
  void take_address(const netlink::MessageView& message);
  void take_neighbor(const netlink::MessageView& message);
  void take_route_entry(const netlink::MessageView& message);
  void take_configuration(const netlink::MessageView& message);

  netlink::Socket& socket_;
  Ownership ownership_;
  Underlay underlay_{};
  std::map<std::uint32_t, Known> links_{};
  Touched touched_{};
};

}  // namespace weft::tables
