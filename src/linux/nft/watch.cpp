// SPDX-License-Identifier: Apache-2.0
#include "linux/nft/watch.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>

#include "linux/netns.h"
#include "linux/nft/dump.h"

namespace weft::nft {

Result<Watch> Watch::begin(netlink::Socket& socket) {
  constexpr std::uint32_t kGroups[] = {NFNLGRP_NFTABLES};
  WEFT_ASSIGN(const Netns netns, socket.netns());
  WEFT_ASSIGN(auto listener, netlink::Listener::open(NETLINK_NETFILTER, netns, kGroups, {}));
  Watch watch(std::move(listener));
  WEFT_ASSIGN(watch.seen_, generation(socket), "nf_tables generation");
  return watch;
}

Result<Watch::Taken> Watch::take(netlink::Socket& socket,
                                 const std::function<void(const netlink::MessageView&)>& each) {
  WEFT_ASSIGN(const auto received, listener_.receive([&](const netlink::MessageView& message) {
    if (NFNL_SUBSYS_ID(message.type()) != NFNL_SUBSYS_NFTABLES) return;
    if (NFNL_MSG_TYPE(message.type()) != NFT_MSG_NEWGEN) return each(message);
    for (const netlink::Attribute attribute : message.attributes<nfgenmsg>())
      if (attribute.type() == NFTA_GEN_ID) seen_ = attribute.be32();
  }));
  losing_ = losing_ || received.lost;
  if (!losing_ || !received.all) return Taken{received.lost};
  // Now the kernel delivers again, and the account begins anew.
  losing_ = false;
  WEFT_ASSIGN(seen_, generation(socket), "nf_tables generation");
  return Taken{true};
}

void Watch::wait(std::chrono::milliseconds at_most) const {
  pollfd waiting{listener_.fd(), POLLIN, 0};
  (void)::poll(&waiting, 1, static_cast<int>(at_most.count()));
}

}  // namespace weft::nft
