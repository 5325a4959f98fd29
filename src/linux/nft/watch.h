// SPDX-License-Identifier: Apache-2.0
//
// What was committed to nf_tables while one reads: a listener that begins with the reading, and an
// account of how far its notifications go. A reading of one's own table stands when, after it,
//
//   generation() gave G, the notifications up to G were taken, and none of them was of that table.
//
// Other people's commits thus cost a few notifications, and no second reading.
//
// Why that is certain: a commit shows (the generation goes up, then the ruleset's cursor turns)
// before its notifications are sent, so that none having come says nothing. But each commit ends
// its notifications with its generation's (NFT_MSG_NEWGEN), all under the namespace's commit mutex
// (nf_tables_commit in net/netfilter/nf_tables_api.c), so that they come in order: who has seen the
// NEWGEN of G or a later one has seen everything before it. Taking that mutex instead (an empty
// batch would) could wait as long as somebody's largest commit takes.
//
// Notifications that the kernel could not deliver are told (lost): what was read up to then is in
// doubt. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "base/result.h"
#include "linux/netlink/socket.h"

namespace weft::nft {

class Watch {
 public:
  // In `socket`'s namespace (NETLINK_NETFILTER).
  static Result<Watch> begin(netlink::Socket& socket);

  struct Taken {
    bool lost = false;
  };
  // Calls `each` for the notifications that are there (NFT_MSG_NEWTABLE …), NEWGEN apart.
  Result<Taken> take(netlink::Socket& socket,
                     const std::function<void(const netlink::MessageView&)>& each);

  // Every notification of the commits up to `generation` was taken.
  bool covers(std::uint32_t generation) const {
    return !losing_ && static_cast<std::int32_t>(seen_ - generation) >= 0;
  }

  // Waits until there is something to take, for who has no event loop.
  void wait(std::chrono::milliseconds at_most) const;

 private:
  explicit Watch(netlink::Listener listener) : listener_(std::move(listener)) {}

  netlink::Listener listener_;
  std::uint32_t seen_ = 0;  // the generation up to which every notification was taken
  bool losing_ = false;     // some were lost, and may still be: nothing was ever all read since
};

}  // namespace weft::nft
