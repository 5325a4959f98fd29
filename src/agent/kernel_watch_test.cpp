// SPDX-License-Identifier: Apache-2.0
#include "agent/kernel_watch.h"

#include <gmock/gmock.h>
#include <linux/netlink.h>

#include <chrono>

#include "agent/drivers.h"
#include "linux/netlink/link.h"
#include "linux/netlink/request_count.h"
#include "linux/netns_fixture.h"
#include "loop/timer.h"

namespace weft::agent {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::IsEmpty;
using testing::IsSupersetOf;

class KernelWatchTest : public NetnsFixture {
 protected:
  KernelWatchTest() {
    sh("echo 1 > /proc/sys/net/ipv6/conf/default/addr_gen_mode; ip link set lo up;"
       "ip link add eth0 type veth peer name far0; ip link set eth0 up; ip link set far0 up;"
       "ip addr add 172.31.0.11/24 dev eth0; ip link add cni0 type bridge; ip link set cni0 up;"
       "ip link add other0 type bridge; ip link set other0 up");
    watch_ = KernelWatch::open(loop_, kernel_, {},
                               [this](const tables::Notifications::Touched& touched) {
                                 for (const auto& kind : touched.kinds) kinds_.emplace(kind);
                                 underlay_ = underlay_ || touched.underlay;
                               })
                 .value();
  }

  // Until the watch has told of `kind`, or the kernel has been silent for a while.
  void listen(const std::string& kind = "") {
    loop::Timer silence(loop_, [this] { loop_.stop(); });
    const auto end = loop::Loop::now() + 5s;
    do {
      silence.arm(loop::Loop::now() + 100ms);
      loop_.run();
    } while (!kind.empty() && !kinds_.contains(kind) && loop::Loop::now() < end);
  }
  void forget() {
    kinds_.clear();
    underlay_ = false;
  }
  // More than the kernel keeps for a listener.
  void overflow() {
    netlink::Link link;
    link.index = netlink::find_link(socket_, "other0").value()->index;
    for (int i = 0; i < 100; ++i) {
      netlink::Batch batch;
      for (std::uint32_t mtu = 1301; mtu <= 1400; ++mtu) {
        link.mtu = mtu;
        netlink::put_link_change(batch, link);
      }
      ASSERT_TRUE(socket_.run(batch));
    }
  }

  loop::Loop loop_ = loop::Loop::open().value();
  netlink::Socket socket_ = netlink::Socket::open(NETLINK_ROUTE).value();
  tables::KernelTables kernel_ = tables::KernelTables::open(agent_ownership({})).value();
  std::set<std::string> kinds_{};
  bool underlay_ = false;
  std::unique_ptr<KernelWatch> watch_{};
};

// What was heard of a link before may be wrong by then.
TEST_F(KernelWatchTest, WhenNotificationsWereLostWhatTheyToldIsForgotten) {
  sh("ip link set other0 mtu 1400");
  listen();
  overflow();
  sh("ip link del cni0; ip link set other0 down; ip link set other0 name cni0;"
     "ip link set cni0 up");
  listen("nft");
  EXPECT_THAT(kinds_, IsSupersetOf({"link", "address", "route", "nft", "file"}));
  EXPECT_TRUE(underlay_);
  forget();
  sh("ip addr add 10.244.1.1/24 dev cni0");
  listen("address");
  EXPECT_THAT(kinds_, Contains("address"));
}

// A pod of another plugin's, from its first notification to its last.
TEST_F(KernelWatchTest, AForeignLinkHasNothingReadOrAsked) {
  listen();
  forget();
  const netlink::Traffic asked = netlink::traffic_of([&] {
    sh("ip link add cali1 type veth peer name pod1; ip link set cali1 up; ip link set pod1 up;"
       "ip addr add 169.254.1.1/32 dev cali1; ip route add 10.9.0.2/32 dev cali1;"
       "ip route replace 10.9.0.2/32 dev cali1 src 169.254.1.1;"
       "ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:01 dev cali1 nud permanent;"
       "ip link set cali1 mtu 1400; echo 1 > /proc/sys/net/ipv4/conf/cali1/proxy_arp");
    listen();
    sh("ip addr del 169.254.1.1/32 dev cali1; ip link del cali1");
    listen();
  });
  EXPECT_THAT(kinds_, IsEmpty());
  EXPECT_FALSE(underlay_);
  EXPECT_EQ(asked.sent, 0U);
}

}  // namespace
}  // namespace weft::agent
