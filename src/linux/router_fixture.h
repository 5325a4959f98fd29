// SPDX-License-Identifier: Apache-2.0
//
// For tests: a router behind a link of the thread's namespace, in one of its own, that advertises
// itself (RFC 4861 §4.2). The link is a veth pair, made here.
#pragma once

#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "linux/netns_fixture.h"

namespace weft {

class AdvertisingRouter {
 public:
  explicit AdvertisingRouter(std::string link) : link_(std::move(link)) {
    const ShellOutput made = shell("ip link add " + link_ + " type veth peer name far netns " +
                                   path_of(router_) + " && ip link set " + link_ + " up");
    EXPECT_EQ(made.status, 0) << made.text;
    const NetnsGuard inside = NetnsGuard::enter(router_).value();
    EXPECT_EQ(shell("echo 0 > /proc/sys/net/ipv6/conf/far/accept_dad; ip link set far up").status,
              0);
  }

  bool is_default_route() const {
    return shell("ip -6 route show default dev " + link_).text.find("proto ra") !=
           std::string::npos;
  }

  // Advertises until the host has it as default router.
  bool is_heeded(std::chrono::milliseconds patience = std::chrono::seconds(5)) const {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      advertise();
      if (is_default_route()) return true;
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

 private:
  // Goes nowhere while the link has no link-local address yet.
  void advertise() const {
    const NetnsGuard inside = NetnsGuard::enter(router_).value();
    const UniqueFd socket(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6));
    const int hops = 255;  // or it is not believed
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
    nd_router_advert advertisement{};
    advertisement.nd_ra_type = ND_ROUTER_ADVERT;
    advertisement.nd_ra_curhoplimit = 64;
    advertisement.nd_ra_router_lifetime = htons(1800);
    sockaddr_in6 all_nodes{};
    all_nodes.sin6_family = AF_INET6;
    all_nodes.sin6_scope_id = ::if_nametoindex("far");
    all_nodes.sin6_addr.s6_addr[0] = 0xff;
    all_nodes.sin6_addr.s6_addr[1] = 0x02;
    all_nodes.sin6_addr.s6_addr[15] = 1;
    (void)::sendto(socket.get(), &advertisement, sizeof(advertisement), 0,
                   reinterpret_cast<const sockaddr*>(&all_nodes), sizeof(all_nodes));
  }

  std::string link_;
  Netns router_ = fresh_netns();
};

}  // namespace weft
