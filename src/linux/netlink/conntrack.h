// SPDX-License-Identifier: Apache-2.0
//
// Tracked connections over ctnetlink: removing those that still point where no backend is. A UDP
// flow has no end of its own, so that without this a client goes on talking to a backend that is
// gone. Source: include/uapi/linux/netfilter/nfnetlink_conntrack.h, nf_conntrack_netlink.c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/address.h"
#include "base/result.h"
#include "linux/netlink/socket.h"

namespace weft::netlink {

struct Endpoint {
  IpAddress address{};
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

// Entries that a client made by talking to `destination` and, where given, that `backend` answers
// (the reply's source, after destination NAT).
struct ConntrackMatch {
  std::uint8_t protocol = 0;  // IPPROTO_UDP, IPPROTO_SCTP, …
  Endpoint destination{};
  std::optional<Endpoint> backend{};
};

// Removes every entry that one of `matches` matches; how many. `socket` is a NETLINK_NETFILTER one.
// An entry that ends meanwhile is not counted. Costs one dump a protocol and family.
Result<std::size_t> delete_conntrack(Socket& socket, std::span<const ConntrackMatch> matches);

inline Result<std::size_t> delete_conntrack(Socket& socket, const ConntrackMatch& match) {
  return delete_conntrack(socket, std::span(&match, 1));
}

}  // namespace weft::netlink
