// SPDX-License-Identifier: Apache-2.0
#include <linux/netlink.h>

#include <cerrno>

#include "cni/plugins/plugins.h"
#include "linux/netlink/address.h"
#include "linux/netlink/link.h"
#include "linux/netns.h"

namespace weft::cni {
namespace {

constexpr std::string_view kLoopback = "lo";  // whatever CNI_IFNAME says

Result<> set_up(netlink::Socket& socket, bool up) {
  netlink::Link link;
  link.name = kLoopback;
  link.up = up;
  netlink::Batch batch;
  put_link_change(batch, link);
  return socket.run(batch);
}

// The first address of each family, IPv4 first.
Outcome<std::vector<IpConfig>> read_addresses(netlink::Socket& socket) {
  CNI_ASSIGN(const std::optional<netlink::Link> link, find_link(socket, kLoopback));
  if (!link) return fail(ErrorCode::kInternal, "no link named lo");
  CNI_ASSIGN(const std::vector<netlink::Address> addresses, list_addresses(socket, link->index));
  std::vector<IpConfig> ips;
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    for (const netlink::Address& address : addresses) {
      if (address.prefix.family() != family) continue;
      if (!address.prefix.address.is_loopback())
        return fail(ErrorCode::kInternal,
                    "lo has an address that is no loopback address: " + address.prefix.to_string());
      ips.push_back({address.prefix, std::nullopt, 0});
      break;
    }
  }
  return ips;
}

}  // namespace

Outcome<CniResult> loopback_add(const Request& request) {
  Result<Netns> netns = Netns::open(request.environment.netns);
  if (!netns) return fail(ErrorCode::kInvalidEnvironment, std::move(netns.error()).in("CNI_NETNS"));
  CNI_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_ROUTE, *netns));
  CNI_TRY(set_up(socket, true));
  if (request.config.prev_result) return *request.config.prev_result;
  CniResult result;
  result.interfaces.push_back({.name = std::string(kLoopback),
                               .mac = MacAddress{}.to_string(),
                               .sandbox = request.environment.netns});
  CNI_ASSIGN(result.ips, read_addresses(socket));
  return result;
}

Outcome<> loopback_del(const Request& request) {
  if (request.environment.netns.empty()) return {};
  Result<Netns> netns = Netns::open(request.environment.netns);
  if (!netns) return {};  // gone, and lo with it
  CNI_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_ROUTE, *netns));
  CNI_TRY(set_up(socket, false));
  return {};
}

}  // namespace weft::cni
