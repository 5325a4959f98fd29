// SPDX-License-Identifier: Apache-2.0
// The probe and its server, talking over the loopback of a namespace of their own.
#include "traffic/probe.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <cstdlib>

#include "linux/netlink/link.h"
#include "linux/netns_fixture.h"
#include "traffic/server_fixture.h"

namespace weft::traffic {
namespace {

using Kind = Outcome::Kind;
using model::Protocol;
using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 8080;

class ProbeTest : public testing::Test {
 protected:
  ProbeTest() {
    auto socket = netlink::Socket::open(NETLINK_ROUTE, netns_);
    netlink::Link loopback;
    loopback.name = "lo";
    loopback.up = true;
    netlink::Batch batch;
    netlink::put_link_change(batch, loopback);
    EXPECT_TRUE(socket->run(batch).has_value());
  }

  Probe probe(const char* address, Protocol protocol, std::uint16_t port = kPort) const {
    return {path_of(netns_), *IpAddress::parse(address), port, protocol};
  }

  const Netns netns_ = fresh_netns();
  const ServerThread server_{netns_, "server", kPort};
};

TEST_F(ProbeTest, ServerAndClientSeeEachOtherInBothFamiliesAndProtocols) {
  const auto outcomes = run({probe("127.0.0.1", Protocol::kTcp), probe("127.0.0.1", Protocol::kUdp),
                             probe("::1", Protocol::kTcp), probe("::1", Protocol::kUdp)},
                            3s);
  ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
  for (const Outcome& outcome : *outcomes) {
    EXPECT_EQ(outcome.kind, Kind::kAnswered);
    EXPECT_EQ(outcome.server, "server");
  }
  EXPECT_EQ((*outcomes)[0].seen, "127.0.0.1");
  EXPECT_EQ((*outcomes)[3].seen, "::1");
}

TEST_F(ProbeTest, WhereNobodyListensItIsRefused) {
  const auto outcomes =
      run({probe("127.0.0.1", Protocol::kTcp, 9), probe("::1", Protocol::kUdp, 9)}, 3s);
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_EQ((*outcomes)[0].kind, Kind::kRefused);
  EXPECT_EQ((*outcomes)[0].retransmissions, 0U);
  EXPECT_EQ((*outcomes)[1].kind, Kind::kRefused);
}

TEST_F(ProbeTest, ALostSynIsTold) {
  const auto inside = NetnsGuard::enter(netns_);
  ASSERT_EQ(std::system("nft 'table ip t { chain c { type filter hook input priority 0;"
                        " tcp dport 9 limit rate 1/hour burst 1 packets drop; }; }'"),
            0);
  const auto outcomes = run({probe("127.0.0.1", Protocol::kTcp, 9)}, 10s);
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_EQ((*outcomes)[0].kind, Kind::kRefused);
  EXPECT_EQ((*outcomes)[0].retransmissions, 1U);
}

// As seen from the machine that rejects: the datagram is not even sent.
TEST_F(ProbeTest, ARejectionOnTheWayOutIsARefusal) {
  const auto inside = NetnsGuard::enter(netns_);
  ASSERT_EQ(std::system("nft 'table ip t { chain c { type filter hook output priority 0;"
                        " udp dport 9 reject; udp dport 10 drop; }; }'"),
            0);
  const auto outcomes =
      run({probe("127.0.0.1", Protocol::kUdp, 9), probe("127.0.0.1", Protocol::kUdp, 10)}, 3s);
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_EQ((*outcomes)[0].kind, Kind::kRefused);
  EXPECT_EQ((*outcomes)[1].kind, Kind::kFailed);
  EXPECT_EQ((*outcomes)[1].error, EPERM);
}

TEST_F(ProbeTest, WhereThereIsNoRouteItFails) {
  const auto outcomes = run({probe("192.0.2.1", Protocol::kTcp)}, 1s);
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_EQ((*outcomes)[0].kind, Kind::kFailed);
  EXPECT_EQ((*outcomes)[0].error, ENETUNREACH);
}

TEST_F(ProbeTest, ThousandsAtOnce) {
  const std::vector<Probe> many(1000, probe("127.0.0.1", Protocol::kTcp));
  const auto outcomes = run(many, 10s);
  ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
  for (const Outcome& outcome : *outcomes) ASSERT_EQ(outcome.kind, Kind::kAnswered);
}

}  // namespace
}  // namespace weft::traffic
