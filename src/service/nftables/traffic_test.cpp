// SPDX-License-Identifier: Apache-2.0
// Real packets through the back end: a client outside, a node and two pods, each a namespace.
//
//   client 192.0.2.2 ── 192.0.2.1 node 10.244.1.1 ── 10.244.1.2 pod1     (this node's)
//                                      10.244.2.1 ── 10.244.2.2 pod2     (stands for another
//                                      node's)
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <set>
#include <thread>

#include "base/unique_fd.h"
#include "linux/netlink/conntrack.h"
#include "linux/netns_fixture.h"
#include "service/nftables/fixture.h"
#include "service/udp_flows.h"
#include "traffic/probe.h"
#include "traffic/server_fixture.h"
#include "traffic/socket_address.h"

namespace weft::service {
namespace {

using model::Backend;
using model::FrontendKind;
using model::Protocol;
using model::ServiceTable;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

constexpr milliseconds kPatience{5000};
constexpr milliseconds kAtOnce{500};  // a refusal that came without a retransmission

UniqueFd open_udp_socket(const Netns& netns, IpFamily family) {
  const NetnsGuard inside = NetnsGuard::enter(netns).value();
  return UniqueFd(
      ::socket(family == IpFamily::kIpv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

// A client that asks again and again from one port, as one flow; who answered.
class UdpClient {
 public:
  UdpClient(const Netns& netns, const traffic::SocketAddress& to)
      : socket_(
            open_udp_socket(netns, to.family() == AF_INET ? IpFamily::kIpv4 : IpFamily::kIpv6)) {
    EXPECT_EQ(::connect(socket_.get(), to.get(), to.size()), 0);
  }
  std::string ask() const {
    ::send(socket_.get(), "?", 1, 0);
    pollfd wait{socket_.get(), POLLIN, 0};
    std::array<char, 128> answer{};
    if (::poll(&wait, 1, static_cast<int>(kPatience.count())) != 1) return "nobody";
    const ssize_t size = ::recv(socket_.get(), answer.data(), answer.size(), 0);
    const std::string text(answer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text.substr(0, text.find(' '));
  }

 private:
  UniqueFd socket_;
};

class Traffic : public ::testing::TestWithParam<IpFamily> {
 protected:
  Traffic() {
    // Duplicate address detection would hold back the first packets.
    for (const Netns* netns : {&node_, &client_, &pod1_, &pod2_})
      in(*netns, "sysctl -qw net.ipv6.conf.default.accept_dad=0");
    connect(client_, "client", pick("192.0.2.", "2001:db8::"), pick("0.0.0.0/0", "::/0"));
    connect(pod1_, "pod1", pick("10.244.1.", "fd00:10:244:1::"), pick("0.0.0.0/0", "::/0"));
    connect(pod2_, "pod2", pick("10.244.2.", "fd00:10:244:2::"), pick("0.0.0.0/0", "::/0"));
    in(node_, "ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    // A node needs some route to a Service's address to send at all.
    in(node_, pick("ip route add default via 192.0.2.2", "ip route add default via 2001:db8::2"));
    const NetnsGuard inside = NetnsGuard::enter(node_).value();
    kernel_ = std::make_unique<Kernel>();
  }

  bool v4() const { return GetParam() == IpFamily::kIpv4; }
  std::string pick(const char* v4_text, const char* v6_text) const {
    return v4() ? v4_text : v6_text;
  }

  static void in(const Netns& netns, const std::string& command) {
    const NetnsGuard inside = NetnsGuard::enter(netns).value();
    const ShellOutput output = shell(command);
    EXPECT_EQ(output.status, 0) << command << ": " << output.text;
  }

  // A veth pair: the node has .1, the other end .2 and a default route.
  void connect(const Netns& netns, const std::string& link, const std::string& network,
               const std::string& route) {
    const std::string length = v4() ? "/24" : "/64";
    const std::string nodad = v4() ? "" : " nodad";
    in(node_, "ip link add " + link + " type veth peer name eth0 netns " + path_of(netns) +
                  " && ip address add " + network + "1" + length + " dev " + link + nodad +
                  " && ip link set " + link + " up");
    in(netns, "ip link set lo up && ip address add " + network + "2" + length + " dev eth0" +
                  nodad + " && ip link set eth0 up && ip route add " + route + " via " + network +
                  "1");
  }

  void serve(const ServiceTable& table) {
    kernel_->change_to(table);
    kernel_->write();
  }

  // "POD saw ADDRESS" of every answer, or what came instead.
  static std::set<std::string> ask(const Netns& from, Protocol protocol, const IpAddress& to,
                                   std::uint16_t port, std::size_t times = 1,
                                   milliseconds patience = kPatience) {
    const std::vector<traffic::Probe> probes(times, {path_of(from), to, port, protocol});
    const auto outcomes = traffic::run(probes, patience);
    EXPECT_TRUE(outcomes) << outcomes.error().message;
    std::set<std::string> answers;
    if (outcomes)
      for (const traffic::Outcome& outcome : *outcomes) answers.insert(text_of(outcome));
    return answers;
  }
  static std::set<std::string> ask_often(const Netns& from, Protocol protocol, const IpAddress& to,
                                         std::uint16_t port) {
    constexpr std::size_t kTimes = 20;
    return ask(from, protocol, to, port, kTimes);
  }
  static std::string text_of(const traffic::Outcome& outcome) {
    using Kind = traffic::Outcome::Kind;
    switch (outcome.kind) {
      case Kind::kAnswered:
        return outcome.server + " saw " + outcome.seen;
      case Kind::kRefused:
        return outcome.took < kAtOnce ? "refused at once" : "refused late";
      case Kind::kTimedOut:
        return "no answer";
      default:
        return std::strerror(outcome.error);
    }
  }

  // Of both protocols.
  Frontends frontends(const IpAddress& address, std::uint16_t port, FrontendKind kind,
                      const std::vector<Backend>& backends) const {
    const bool node_port = kind == FrontendKind::kNodePort;
    return {{{address, Protocol::kTcp, port}, {kind, backends, node_port}},
            {{address, Protocol::kUdp, port}, {kind, backends, node_port}}};
  }

  ServiceTable services() const {
    auto all = frontends(kWeb, 80, FrontendKind::kClusterIp, {kBackend1, kBackend2});
    for (auto more : {frontends(kNode, 30080, FrontendKind::kNodePort, {kBackend1, kBackend2}),
                      frontends(kSelf, 80, FrontendKind::kClusterIp, {kBackend1}),
                      frontends(kEmpty, 80, FrontendKind::kClusterIp, {})})
      all.insert(all.end(), more.begin(), more.end());
    return table_of(all);
  }

  const IpAddress kClient = ip(pick("192.0.2.2", "2001:db8::2"));
  const IpAddress kNode = ip(pick("192.0.2.1", "2001:db8::1"));
  const IpAddress kPod1 = ip(pick("10.244.1.2", "fd00:10:244:1::2"));
  const IpAddress kPod2 = ip(pick("10.244.2.2", "fd00:10:244:2::2"));
  const Backend kBackend1{kPod1, 8080, true};
  const Backend kBackend2{kPod2, 8080, true};
  const IpAddress kWeb = ip(pick("10.96.0.10", "fd00:10:96::10"));
  const IpAddress kSelf = ip(pick("10.96.0.11", "fd00:10:96::11"));
  const IpAddress kEmpty = ip(pick("10.96.0.12", "fd00:10:96::12"));
  const IpAddress kUnallocated = ip(pick("10.96.0.99", "fd00:10:96::99"));

  Netns node_ = fresh_netns();
  Netns client_ = fresh_netns();
  Netns pod1_ = fresh_netns();
  Netns pod2_ = fresh_netns();
  const traffic::ServerThread server1_{pod1_, "pod1", 8080};
  const traffic::ServerThread server2_{pod2_, "pod2", 8080};
  std::unique_ptr<Kernel> kernel_{};
};

std::string saw(const char* pod, const IpAddress& client) {
  return std::string(pod) + " saw " + client.to_string();
}

constexpr std::array kBoth{Protocol::kTcp, Protocol::kUdp};

TEST_P(Traffic, ClusterIpReachesEveryBackendAndKeepsThePodsAddress) {
  serve(services());
  const IpAddress gateway2 = ip(pick("10.244.2.1", "fd00:10:244:2::1"));
  for (const Protocol protocol : kBoth)
    EXPECT_THAT(ask_often(pod2_, protocol, kWeb, 80),
                ElementsAre(saw("pod1", kPod2), saw("pod2", gateway2)))  // itself: hairpin
        << to_string(protocol);
}

TEST_P(Traffic, ClusterIpFromOutsideThePodsIsMasqueraded) {
  serve(services());
  const IpAddress gateway1 = ip(pick("10.244.1.1", "fd00:10:244:1::1"));
  const IpAddress gateway2 = ip(pick("10.244.2.1", "fd00:10:244:2::1"));
  for (const Protocol protocol : kBoth)
    for (const Netns* from : {&client_, &node_})
      EXPECT_THAT(ask_often(*from, protocol, kWeb, 80),
                  ElementsAre(saw("pod1", gateway1), saw("pod2", gateway2)))
          << to_string(protocol);
}

TEST_P(Traffic, NodePortFromOutsideAPodAndTheNodeIsMasqueraded) {
  serve(services());
  const IpAddress gateway1 = ip(pick("10.244.1.1", "fd00:10:244:1::1"));
  const IpAddress gateway2 = ip(pick("10.244.2.1", "fd00:10:244:2::1"));
  for (const Protocol protocol : kBoth)
    for (const Netns* from : {&client_, &pod1_, &node_})
      EXPECT_THAT(ask_often(*from, protocol, kNode, 30080),
                  ElementsAre(saw("pod1", gateway1), saw("pod2", gateway2)))
          << to_string(protocol);
}

TEST_P(Traffic, APodReachesItselfThroughItsService) {
  serve(services());
  const IpAddress gateway = ip(pick("10.244.1.1", "fd00:10:244:1::1"));
  for (const Protocol protocol : kBoth)
    EXPECT_THAT(ask(pod1_, protocol, kSelf, 80), ElementsAre(saw("pod1", gateway)))
        << to_string(protocol);
}

TEST_P(Traffic, WithoutEndpointsOrWithoutSuchAPortItIsRefusedAtOnce) {
  serve(services());
  for (const Protocol protocol : kBoth)
    for (const Netns* from : {&pod1_, &node_, &client_}) {
      EXPECT_THAT(ask(*from, protocol, kEmpty, 80), ElementsAre("refused at once"))
          << to_string(protocol);
      EXPECT_THAT(ask(*from, protocol, kWeb, 81), ElementsAre("refused at once"))
          << to_string(protocol);
    }
}

TEST_P(Traffic, AServiceAddressThatNobodyHasIsDropped) {
  serve(services());
  for (const Protocol protocol : kBoth)
    EXPECT_THAT(ask(pod1_, protocol, kUnallocated, 80, 1, kAtOnce), ElementsAre("no answer"));
}

TEST_P(Traffic, AUdpClientFollowsItsBackendsOnceStaleFlowsAreGone) {
  const auto over = [&](const std::vector<Backend>& backends) {
    return table_of(frontends(kWeb, 80, FrontendKind::kClusterIp, backends));
  };
  serve(over({kBackend1}));
  const UdpClient client(pod1_, {kWeb, 80});
  EXPECT_EQ(client.ask(), "pod1");

  const ServiceTable next = over({kBackend2});
  const model::ServiceDelta delta = model::difference(kernel_->services(), next);
  serve(next);
  EXPECT_EQ(client.ask(), "pod1");  // the tracked flow holds on

  std::vector<netlink::ConntrackMatch> matches;
  for (const UdpFlow& flow : udp_flows(next, delta).stale)
    matches.push_back({.protocol = static_cast<std::uint8_t>(flow.frontend.protocol),
                       .destination = {flow.frontend.address, flow.frontend.port},
                       .backend = netlink::Endpoint{flow.backend.address, flow.backend.port}});
  auto socket = netlink::Socket::open(NETLINK_NETFILTER, node_);
  ASSERT_TRUE(socket);
  EXPECT_EQ(netlink::delete_conntrack(*socket, matches).value(), 1U);
  EXPECT_EQ(client.ask(), "pod2");
}

// Every packet chooses by two lookups; a commit may land between them. One that found no backend
// would leave un-translated, and be refused.
TEST_P(Traffic, NoPacketIsRefusedWhileBackendsComeAndGo) {
  std::vector<Backend> four;
  for (std::uint64_t n = 0; n < 4; ++n) four.push_back({kPod1.plus(n), 8080, true});
  const ServiceTable more = table_of(frontends(kWeb, 80, FrontendKind::kClusterIp, four));
  four.erase(four.begin() + 1, four.end());
  const ServiceTable fewer = table_of(frontends(kWeb, 80, FrontendKind::kClusterIp, four));
  serve(more);
  std::atomic<bool> done = false;
  int commits = 0;
  std::thread churn([&] {
    for (; !done; ++commits) serve(commits % 2 == 0 ? fewer : more);
  });
  const traffic::SocketAddress web(kWeb, 80);
  int refused = 0;
  for (std::uint16_t source = 20000; source < 28000; ++source) {
    const UniqueFd socket = open_udp_socket(node_, GetParam());
    const traffic::SocketAddress here(IpAddress::any(GetParam()), source);
    EXPECT_EQ(::bind(socket.get(), here.get(), here.size()), 0);
    if (::sendto(socket.get(), "?", 1, 0, web.get(), web.size()) < 0) ++refused;
  }
  done = true;
  churn.join();
  EXPECT_EQ(refused, 0) << "of 8,000, over " << commits << " commits";
  RecordProperty("commits", commits);
}

INSTANTIATE_TEST_SUITE_P(Families, Traffic, ::testing::Values(IpFamily::kIpv4, IpFamily::kIpv6),
                         [](const auto& family) {
                           return family.param == IpFamily::kIpv4 ? "IPv4" : "IPv6";
                         });

}  // namespace
}  // namespace weft::service
