// SPDX-License-Identifier: Apache-2.0
//
// What turning IP forwarding on or off does beside, in the network namespace the thread is in.
//
// The kernel makes a router or a host of the whole namespace: it sets conf/default/forwarding and
// that of every link alike, and for IPv4 conf/all/accept_redirects to the opposite, whatever they
// were.
//
// A link with accept_ra 1 accepts router advertisements unless it forwards, and a write to IPv6's
// conf/all/forwarding makes every link forward: the kernel forgets at once the routes that the
// advertisements gave, a node's default route among them, and heeds no more of them. accept_ra 2
// accepts them all the same, if it is there before forwarding is.
// Source: net/ipv4/devinet.c inet_forward_change; net/ipv6/addrconf.c addrconf_fixup_forwarding,
// net/ipv6/route.c rt6_purge_dflt_routers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft {

inline constexpr const char* kIpv4Forwarding = "net/ipv4/ip_forward";
inline constexpr const char* kIpv6Forwarding = "net/ipv6/conf/all/forwarding";

struct SysctlChange {
  std::string key{};
  std::string before{};
  std::string after{};
  bool operator==(const SysctlChange&) const = default;
};

// What to write before kIpv6Forwarding becomes 1, so that every link that accepts advertisements
// now goes on accepting them. `except`: links that shall not.
Result<std::vector<SysctlChange>> keep_accepting_advertisements(
    std::span<const std::string_view> except);

// What the kernel sets along, be it to what it is, when `key` is set to `value`; nothing for a key
// that is none of the two.
Result<std::vector<SysctlChange>> changed_along(const std::string& key, const std::string& value);

}  // namespace weft
