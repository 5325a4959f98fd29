// SPDX-License-Identifier: Apache-2.0
// Real packets through the back end: a client outside, a node and two pods, each a namespace.
//
//   client 192.0.2.2 ── 192.0.2.1 node 10.244.1.1 ── 10.244.1.2 pod1     (this node's)
//                                      10.244.2.1 ── 10.244.2.2 pod2     (stands for another
//                                      node's)
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "base/unique_fd.h"
#include "linux/netlink/conntrack.h"
#include "linux/netns_fixture.h"
#include "service/nftables/fixture.h"
#include "service/udp_flows.h"

namespace weft::service {
namespace {

using model::Backend;
using model::FrontendKind;
using model::Protocol;
using model::ServiceTable;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr milliseconds kPatience{5000};
constexpr milliseconds kAtOnce{500};  // a refusal that came without a retransmission

socklen_t socket_address(const IpAddress& address, std::uint16_t port, sockaddr_storage& out) {
  out = {};
  if (address.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(out);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes().data(), 4);
    return sizeof v4;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
  return sizeof v6;
}

std::string text_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text,
                sizeof text);
  else
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text,
                sizeof text);
  return text;
}

bool readable(int fd, int timeout) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, timeout) == 1;
}

UniqueFd open_socket(const Netns& netns, Protocol protocol, IpFamily family) {
  const NetnsGuard inside = NetnsGuard::enter(netns).value();
  return UniqueFd(::socket(
      family == IpFamily::kIpv4 ? AF_INET : AF_INET6,
      (protocol == Protocol::kTcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// Answers with its name and the address that it saw the client come from.
class Server {
 public:
  Server(std::string name, const Netns& netns, Protocol protocol, const IpAddress& address,
         std::uint16_t port)
      : name_(std::move(name)),
        protocol_(protocol),
        socket_(open_socket(netns, protocol, address.family())) {
    sockaddr_storage local;
    const socklen_t size = socket_address(address, port, local);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&local), size), 0);
    if (protocol == Protocol::kTcp) {
      EXPECT_EQ(::listen(socket_.get(), 8), 0);
    }
  }

  int fd() const { return socket_.get(); }

  void serve() const {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    auto* const address = reinterpret_cast<sockaddr*>(&peer);
    if (protocol_ == Protocol::kTcp) {
      const UniqueFd connection(::accept4(socket_.get(), address, &size, SOCK_CLOEXEC));
      const std::string answer = name_ + " saw " + text_of(peer);
      if (connection) std::ignore = ::send(connection.get(), answer.data(), answer.size(), 0);
      return;
    }
    char ignored[16];
    if (::recvfrom(socket_.get(), ignored, sizeof ignored, 0, address, &size) < 0) return;
    const std::string answer = name_ + " saw " + text_of(peer);
    ::sendto(socket_.get(), answer.data(), answer.size(), 0, address, size);
  }

 private:
  std::string name_;
  Protocol protocol_;
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
    for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp}) {
      servers_.emplace_back("pod1", pod1_, protocol, kPod1, 8080);
      servers_.emplace_back("pod2", pod2_, protocol, kPod2, 8080);
    }
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

  void serve_one() {
    std::vector<pollfd> waits;
    for (const Server& server : servers_) waits.push_back({server.fd(), POLLIN, 0});
    ::poll(waits.data(), waits.size(), 0);
    for (std::size_t i = 0; i < waits.size(); ++i)
      if ((waits[i].revents & POLLIN) != 0) servers_[i].serve();
  }

  // What came back on a connected socket, or the error.
  std::string await(const UniqueFd& socket, Protocol protocol, milliseconds patience = kPatience) {
    const auto begin = std::chrono::steady_clock::now();
    const auto deadline = begin + patience;
    while (std::chrono::steady_clock::now() < deadline) {
      serve_one();
      if (!readable(socket.get(), 5)) continue;
      char answer[128];
      const ssize_t size = ::recv(socket.get(), answer, sizeof answer, 0);
      if (size > 0) return {answer, static_cast<std::size_t>(size)};
      const bool soon = std::chrono::steady_clock::now() - begin < kAtOnce;
      if (size < 0 && errno == ECONNREFUSED) return soon ? "refused at once" : "refused late";
      return size == 0 ? "closed" : std::strerror(errno);
    }
    return protocol == Protocol::kTcp ? "no connection" : "no answer";
  }

  UniqueFd open(const Netns& from, Protocol protocol, const IpAddress& to, std::uint16_t port) {
    UniqueFd socket = open_socket(from, protocol, to.family());
    sockaddr_storage remote;
    const socklen_t size = socket_address(to, port, remote);
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&remote), size) != 0 &&
        errno != EINPROGRESS)
      ADD_FAILURE() << "connect: " << std::strerror(errno);
    if (protocol == Protocol::kUdp) ::send(socket.get(), "hi", 2, 0);
    return socket;
  }

  std::string ask(const Netns& from, Protocol protocol, const IpAddress& to, std::uint16_t port) {
    return await(open(from, protocol, to, port), protocol);
  }

  std::set<std::string> ask_often(const Netns& from, Protocol protocol, const IpAddress& to,
                                  std::uint16_t port) {
    std::set<std::string> answers;
    for (int i = 0; i < 20; ++i) answers.insert(ask(from, protocol, to, port));
    return answers;
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
  std::vector<Server> servers_{};
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
    EXPECT_EQ(ask(pod1_, protocol, kSelf, 80), saw("pod1", gateway)) << to_string(protocol);
}

TEST_P(Traffic, WithoutEndpointsOrWithoutSuchAPortItIsRefusedAtOnce) {
  serve(services());
  for (const Protocol protocol : kBoth)
    for (const Netns* from : {&pod1_, &node_, &client_}) {
      EXPECT_EQ(ask(*from, protocol, kEmpty, 80), "refused at once") << to_string(protocol);
      EXPECT_EQ(ask(*from, protocol, kWeb, 81), "refused at once") << to_string(protocol);
    }
}

TEST_P(Traffic, AServiceAddressThatNobodyHasIsDropped) {
  serve(services());
  for (const Protocol protocol : kBoth) {
    const UniqueFd socket = open(pod1_, protocol, kUnallocated, 80);
    EXPECT_THAT(await(socket, protocol, kAtOnce), StartsWith("no "));
  }
}

TEST_P(Traffic, AUdpClientFollowsItsBackendsOnceStaleFlowsAreGone) {
  const auto over = [&](const std::vector<Backend>& backends) {
    return table_of(frontends(kWeb, 80, FrontendKind::kClusterIp, backends));
  };
  serve(over({kBackend1}));
  const UniqueFd client = open(pod1_, Protocol::kUdp, kWeb, 80);
  EXPECT_EQ(await(client, Protocol::kUdp).substr(0, 4), "pod1");

  const ServiceTable next = over({kBackend2});
  const model::ServiceDelta delta = model::difference(kernel_->services(), next);
  serve(next);
  ::send(client.get(), "hi", 2, 0);
  EXPECT_EQ(await(client, Protocol::kUdp).substr(0, 4), "pod1");  // the tracked flow holds on

  std::vector<netlink::ConntrackMatch> matches;
  for (const UdpFlow& flow : udp_flows(next, delta).stale)
    matches.push_back({.protocol = static_cast<std::uint8_t>(flow.frontend.protocol),
                       .destination = {flow.frontend.address, flow.frontend.port},
                       .backend = netlink::Endpoint{flow.backend.address, flow.backend.port}});
  auto socket = netlink::Socket::open(NETLINK_NETFILTER, node_);
  ASSERT_TRUE(socket);
  EXPECT_EQ(netlink::delete_conntrack(*socket, matches).value(), 1U);
  ::send(client.get(), "hi", 2, 0);
  EXPECT_EQ(await(client, Protocol::kUdp).substr(0, 4), "pod2");
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
  int refused = 0;
  for (std::uint16_t source = 20000; source < 28000; ++source) {
    const UniqueFd socket = open_socket(node_, Protocol::kUdp, GetParam());
    sockaddr_storage address;
    socklen_t size = socket_address(IpAddress::any(GetParam()), source, address);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    size = socket_address(kWeb, 80, address);
    if (::sendto(socket.get(), "hi", 2, 0, reinterpret_cast<sockaddr*>(&address), size) < 0)
      ++refused;
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
