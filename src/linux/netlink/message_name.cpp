// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/message_name.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace weft::netlink {

namespace {

struct Name {
  int protocol = 0;
  std::uint16_t type = 0;
  std::string_view text{};
};

constexpr std::uint16_t nft(int message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}
constexpr std::uint16_t conntrack(int message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | message);
}

constexpr Name kNames[] = {
    {NETLINK_ROUTE, RTM_NEWLINK, "RTM_NEWLINK"},
    {NETLINK_ROUTE, RTM_DELLINK, "RTM_DELLINK"},
    {NETLINK_ROUTE, RTM_GETLINK, "RTM_GETLINK"},
    {NETLINK_ROUTE, RTM_SETLINK, "RTM_SETLINK"},
    {NETLINK_ROUTE, RTM_NEWADDR, "RTM_NEWADDR"},
    {NETLINK_ROUTE, RTM_DELADDR, "RTM_DELADDR"},
    {NETLINK_ROUTE, RTM_GETADDR, "RTM_GETADDR"},
    {NETLINK_ROUTE, RTM_NEWROUTE, "RTM_NEWROUTE"},
    {NETLINK_ROUTE, RTM_DELROUTE, "RTM_DELROUTE"},
    {NETLINK_ROUTE, RTM_GETROUTE, "RTM_GETROUTE"},
    {NETLINK_ROUTE, RTM_NEWNEIGH, "RTM_NEWNEIGH"},
    {NETLINK_ROUTE, RTM_DELNEIGH, "RTM_DELNEIGH"},
    {NETLINK_ROUTE, RTM_GETNEIGH, "RTM_GETNEIGH"},
    {NETLINK_ROUTE, RTM_NEWRULE, "RTM_NEWRULE"},
    {NETLINK_ROUTE, RTM_DELRULE, "RTM_DELRULE"},
    {NETLINK_ROUTE, RTM_GETRULE, "RTM_GETRULE"},
    {NETLINK_NETFILTER, NFNL_MSG_BATCH_BEGIN, "NFNL_MSG_BATCH_BEGIN"},
    {NETLINK_NETFILTER, NFNL_MSG_BATCH_END, "NFNL_MSG_BATCH_END"},
    {NETLINK_NETFILTER, nft(NFT_MSG_NEWTABLE), "NFT_MSG_NEWTABLE"},
    {NETLINK_NETFILTER, nft(NFT_MSG_GETTABLE), "NFT_MSG_GETTABLE"},
    {NETLINK_NETFILTER, nft(NFT_MSG_DELTABLE), "NFT_MSG_DELTABLE"},
    {NETLINK_NETFILTER, nft(NFT_MSG_NEWCHAIN), "NFT_MSG_NEWCHAIN"},
    {NETLINK_NETFILTER, nft(NFT_MSG_GETCHAIN), "NFT_MSG_GETCHAIN"},
    {NETLINK_NETFILTER, nft(NFT_MSG_DELCHAIN), "NFT_MSG_DELCHAIN"},
    {NETLINK_NETFILTER, nft(NFT_MSG_NEWRULE), "NFT_MSG_NEWRULE"},
    {NETLINK_NETFILTER, nft(NFT_MSG_GETRULE), "NFT_MSG_GETRULE"},
    {NETLINK_NETFILTER, nft(NFT_MSG_DELRULE), "NFT_MSG_DELRULE"},
    {NETLINK_NETFILTER, nft(NFT_MSG_NEWSET), "NFT_MSG_NEWSET"},
    {NETLINK_NETFILTER, nft(NFT_MSG_GETSET), "NFT_MSG_GETSET"},
    {NETLINK_NETFILTER, nft(NFT_MSG_DELSET), "NFT_MSG_DELSET"},
    {NETLINK_NETFILTER, nft(NFT_MSG_NEWSETELEM), "NFT_MSG_NEWSETELEM"},
    {NETLINK_NETFILTER, nft(NFT_MSG_GETSETELEM), "NFT_MSG_GETSETELEM"},
    {NETLINK_NETFILTER, nft(NFT_MSG_DELSETELEM), "NFT_MSG_DELSETELEM"},
    {NETLINK_NETFILTER, conntrack(IPCTNL_MSG_CT_GET), "IPCTNL_MSG_CT_GET"},
    {NETLINK_NETFILTER, conntrack(IPCTNL_MSG_CT_DELETE), "IPCTNL_MSG_CT_DELETE"},
};

}  // namespace

std::string message_name(int protocol, std::uint16_t type) {
  const auto found = std::find_if(std::begin(kNames), std::end(kNames), [&](const Name& name) {
    return name.protocol == protocol && name.type == type;
  });
  if (found == std::end(kNames)) return "message type " + std::to_string(type);
  return std::string(found->text);
}

}  // namespace weft::netlink
