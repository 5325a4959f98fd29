// SPDX-License-Identifier: Apache-2.0
//
// What a kernel notification touches: the kinds whose entries of ours may have changed, and whether
// the underlay may have. Everything that cannot be ours is passed over (pods' links, unless one
// loses its bridge, and their addresses, other links' neighbors, other tables' routes and nft
// objects), so that a busy node does not read its tables for nothing. It may name a kind too many,
// never one too few.
//
// The kernel takes routes and neighbors along silently when a link goes down, and a link that is
// made anew has lost everything: a change of a link touches all that rests on it.
#pragma once

#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "linux/netlink/message.h"
#include "linux/netlink/socket.h"

namespace weft::tables {

class Notifications {
 public:
  // The groups to listen to, for netlink::Listener.
  static constexpr std::uint32_t kRouteGroups[] = {
      RTNLGRP_LINK,       RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR,
      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
  };
  static constexpr std::uint32_t kNetfilterGroups[] = {NFNLGRP_NFTABLES};

  // `owned`: names of our links. `socket` (NETLINK_ROUTE, the listener's namespace) is asked which
  // link an index is, once an index.
  Notifications(netlink::Socket& socket, std::vector<std::string> owned)
      : socket_(socket), owned_(owned.begin(), owned.end()) {}

  struct Touched {
    std::set<std::string_view> kinds{};  // kName of LinkKind, RouteKind, …
    bool underlay = false;      // an address, an MTU or the state of a link that is not ours
    bool others_route = false;  // one that may have stood in the way of ours went
  };

  void take_route(const netlink::MessageView& message);      // from a NETLINK_ROUTE listener
  void take_netfilter(const netlink::MessageView& message);  // from a NETLINK_NETFILTER listener

  // What was touched since the last call.
  Touched collect();

 private:
  enum class Whose { kOurs, kPods, kOthers };
  struct Known {
    Whose whose = Whose::kOthers;
    bool learns = false;    // its neighbors come and go by themselves: only permanent ones matter
    bool detached = false;  // a pods' link that is up and no port of a bridge
  };

  Known known(std::uint32_t index);
  Known classify(const netlink::MessageView& message) const;
  void take_link(const netlink::MessageView& message);
  void take_address(const netlink::MessageView& message);
  void take_neighbor(const netlink::MessageView& message);
  void take_route_entry(const netlink::MessageView& message);
  void take_configuration(const netlink::MessageView& message);

  netlink::Socket& socket_;
  std::set<std::string, std::less<>> owned_;
  std::map<std::uint32_t, Known> links_{};
  Touched touched_{};
};

}  // namespace weft::tables
