// SPDX-License-Identifier: Apache-2.0
// The probe and its server, talking over the loopback of a namespace of their own.
#include "lab/check/probe.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "lab/check/probe_server.h"
#include "linux/netlink/link.h"
#include "linux/netns_fixture.h"

namespace weft::lab {
namespace {

using Kind = ProbeOutcome::Kind;
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
    const auto inside = NetnsGuard::enter(netns_);
    server_ = ::fork();
    if (server_ == 0) {
      [[maybe_unused]] const auto served = serve_probes("server", kPort);
      ::_exit(1);
    }
  }
  ~ProbeTest() override {
    ::kill(server_, SIGKILL);
    ::waitpid(server_, nullptr, 0);
  }

  PathProbe probe(const char* address, Protocol protocol, std::uint16_t port = kPort) const {
    return {path_of(netns_), *IpAddress::parse(address), port, protocol};
  }

  // Until the server listens.
  void wait_for_server() {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto outcomes = run_probes({probe("::1", Protocol::kTcp)}, 1s);
      if (outcomes && (*outcomes)[0].kind == Kind::kAnswered) return;
    }
    FAIL() << "the server does not answer";
  }

  const Netns netns_ = fresh_netns();
  pid_t server_ = -1;
};

TEST_F(ProbeTest, ServerAndClientSeeEachOtherInBothFamiliesAndProtocols) {
  wait_for_server();
  const auto outcomes =
      run_probes({probe("127.0.0.1", Protocol::kTcp), probe("127.0.0.1", Protocol::kUdp),
                  probe("::1", Protocol::kTcp), probe("::1", Protocol::kUdp)},
                 3s);
  ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
  for (const ProbeOutcome& outcome : *outcomes) {
    EXPECT_EQ(outcome.kind, Kind::kAnswered);
    EXPECT_EQ(outcome.server, "server");
  }
  EXPECT_EQ((*outcomes)[0].seen, "127.0.0.1");
  EXPECT_EQ((*outcomes)[3].seen, "::1");
}

TEST_F(ProbeTest, WhereNobodyListensItIsRefused) {
  const auto outcomes =
      run_probes({probe("127.0.0.1", Protocol::kTcp, 9), probe("::1", Protocol::kUdp, 9)}, 3s);
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
  const auto outcomes = run_probes({probe("127.0.0.1", Protocol::kTcp, 9)}, 10s);
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_EQ((*outcomes)[0].kind, Kind::kRefused);
  EXPECT_EQ((*outcomes)[0].retransmissions, 1U);
}

TEST_F(ProbeTest, WhereThereIsNoRouteItFails) {
  const auto outcomes = run_probes({probe("192.0.2.1", Protocol::kTcp)}, 1s);
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_EQ((*outcomes)[0].kind, Kind::kFailed);
  EXPECT_EQ((*outcomes)[0].error, ENETUNREACH);
}

TEST_F(ProbeTest, ThousandsAtOnce) {
  wait_for_server();
  const std::vector<PathProbe> many(1000, probe("127.0.0.1", Protocol::kTcp));
  const auto outcomes = run_probes(many, 10s);
  ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
  for (const ProbeOutcome& outcome : *outcomes) ASSERT_EQ(outcome.kind, Kind::kAnswered);
}

}  // namespace
}  // namespace weft::lab
