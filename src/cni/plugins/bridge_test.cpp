// SPDX-License-Identifier: Apache-2.0
// The bridge and host-local plugins, executed in real namespaces.
#include <fcntl.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "base/unique_fd.h"
#include "cni/plugins/cluster_fixture.h"
#include "linux/process.h"
#include "linux/router_fixture.h"
#include "tables/names.h"

namespace weft::cni {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kIpv4 = R"([[{"subnet":"10.244.1.0/24"}]])";
constexpr const char* kIpv6 = R"([[{"subnet":"fd00:10:244:1::/64"}]])";
constexpr const char* kDual = R"([[{"subnet":"10.244.1.0/24"}],[{"subnet":"fd00:10:244:1::/64"}]])";

struct Families {
  const char* name = "";
  const char* ranges = "";
  std::vector<std::string> addresses{};
  std::vector<std::string> gateways{};
};

class BridgeFamilies : public ClusterFixture, public testing::WithParamInterface<Families> {};

std::vector<std::string> global_addresses(const Json& link) {
  std::vector<std::string> addresses;
  for (const Json& address : link["addr_info"]) {
    if (address["scope"] != "global") continue;
    addresses.push_back(address["local"].get<std::string>() + "/" +
                        std::to_string(address["prefixlen"].get<int>()));
  }
  return addresses;
}

TEST_P(BridgeFamilies, AddWiresAndDelLeavesNothing) {
  const Families& families = GetParam();
  const ConfigurationList list = network(bridge_json(families.ranges));
  const auto result = runtime_.add(list, attachment("abc", pod_));
  ASSERT_TRUE(result) << result.error().message;

  // In the pod.
  const Json eth0 = json_in(pod_, "ip -j -d addr show dev eth0")[0];
  EXPECT_EQ(eth0["operstate"], "UP");
  EXPECT_EQ(eth0["mtu"], 1450);
  EXPECT_EQ(eth0["address"], result->interfaces.at(2).mac);
  EXPECT_EQ(global_addresses(eth0), families.addresses);
  for (const Json& address : eth0["addr_info"]) {
    if (address["scope"] == "global") {
      EXPECT_FALSE(address.contains("tentative")) << address;
    }
  }
  EXPECT_THAT(in(pod_, "ip -br link show dev lo"), HasSubstr("LOOPBACK,UP"));
  std::vector<std::string> defaults;
  for (const char* family : {"-4", "-6"}) {
    for (const Json& route : json_in(pod_, std::string("ip -j ") + family + " route show default"))
      defaults.push_back(route["gateway"]);
  }
  EXPECT_EQ(defaults, families.gateways);

  // On the node.
  const std::string host_link = result->interfaces.at(1).name;
  const Json port = json_in(node_, "ip -j -d link show dev " + host_link)[0];
  EXPECT_EQ(port["master"], "cni0");
  EXPECT_EQ(port["operstate"], "UP");
  EXPECT_EQ(port["mtu"], 1450);
  EXPECT_EQ(port["group"], std::to_string(tables::kPodLinkGroup));
  EXPECT_EQ(port["address"], result->interfaces.at(1).mac);
  EXPECT_EQ(port["linkinfo"]["info_slave_data"]["hairpin"], true);
  const Json bridge = json_in(node_, "ip -j addr show dev cni0")[0];
  EXPECT_EQ(bridge["address"], result->interfaces.at(0).mac);
  EXPECT_EQ(bridge["mtu"], 1450);
  for (const std::string& gateway : families.gateways)
    EXPECT_TRUE(can_ping(pod_, gateway)) << gateway;

  // The result.
  EXPECT_EQ(result->interfaces.at(0).name, "cni0");
  EXPECT_EQ(result->interfaces.at(2).name, "eth0");
  EXPECT_EQ(result->interfaces.at(2).sandbox, path_of(pod_));
  EXPECT_EQ(result->interfaces.at(2).mtu, 1450U);
  ASSERT_EQ(result->ips.size(), families.addresses.size());
  for (std::size_t i = 0; i < result->ips.size(); ++i) {
    EXPECT_EQ(result->ips[i].address.to_string(), families.addresses[i]);
    EXPECT_EQ(result->ips[i].gateway->to_string(), families.gateways[i]);
    EXPECT_EQ(result->ips[i].interface, 2U);
  }
  EXPECT_EQ(reserved().size(), families.addresses.size());
  EXPECT_THAT(cached(), ElementsAre("net-abc-eth0"));

  for (int time = 0; time < 2; ++time) {
    const auto deleted = runtime_.del(list, attachment("abc", pod_));
    ASSERT_TRUE(deleted) << deleted.error().message;
    EXPECT_THAT(links(pod_), ElementsAre("lo"));
    EXPECT_THAT(links(node_), ElementsAre("cni0", "lo"));
    EXPECT_THAT(reserved(), IsEmpty());
    EXPECT_THAT(cached(), IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BridgeFamilies,
    testing::Values(Families{"ipv4", kIpv4, {"10.244.1.2/24"}, {"10.244.1.1"}},
                    Families{"ipv6", kIpv6, {"fd00:10:244:1::2/64"}, {"fd00:10:244:1::1"}},
                    Families{"dual",
                             kDual,
                             {"10.244.1.2/24", "fd00:10:244:1::2/64"},
                             {"10.244.1.1", "fd00:10:244:1::1"}}),
    [](const auto& instance) { return instance.param.name; });

class BridgePlugin : public ClusterFixture {
 protected:
  void expect_untouched() const {
    EXPECT_THAT(links(pod_), ElementsAre("lo"));
    for (const std::string& name : links(node_)) EXPECT_FALSE(name.starts_with("veth")) << name;
    EXPECT_THAT(reserved(), IsEmpty());
    EXPECT_THAT(cached(), IsEmpty());
  }
  std::string input() const {
    return R"({"cniVersion":"1.1.0","name":"net",)" + bridge_json(kDual).substr(1);
  }
  // The plugin alone: the runtime would undo what failed.
  ProcessSpec add_process() const {
    ProcessSpec spec;
    spec.argv = {WEFT_PLUGIN_DIRECTORY "/bridge"};
    spec.env = {"CNI_COMMAND=ADD", "CNI_CONTAINERID=abc", "CNI_NETNS=" + path_of(pod_),
                "CNI_IFNAME=eth0", std::string("CNI_PATH=") + WEFT_PLUGIN_DIRECTORY};
    spec.netns = path_of(node_);
    return spec;
  }
  std::string add_error(const ConfigurationList& list) {
    const auto result = runtime_.add(list, attachment("abc", pod_));
    return result ? "added" : result.error().message;
  }
};

// As soon as ADD returns: no packet may be lost to a port that does not forward yet.
TEST_F(BridgePlugin, PodsReachEachOtherAtOnce) {
  const ConfigurationList list = network(bridge_json(kDual));
  const Netns other = fresh_netns();
  ASSERT_TRUE(runtime_.add(list, attachment("a", pod_)));
  ASSERT_TRUE(runtime_.add(list, attachment("b", other)));
  EXPECT_TRUE(can_ping(other, "10.244.1.2"));
  EXPECT_TRUE(can_ping(pod_, "fd00:10:244:1::3"));
}

TEST_F(BridgePlugin, AddingTwiceFailsAndTheFirstStays) {
  const ConfigurationList list = network(bridge_json(kDual));
  ASSERT_TRUE(runtime_.add(list, attachment("abc", pod_)));
  EXPECT_THAT(add_error(list), HasSubstr("abc has interface eth0 on network net already"));
  const Output again = run_process(add_process(), input()).value();
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.out, HasSubstr("CNI_IFNAME=eth0"));
  EXPECT_THAT(reserved(), ElementsAre("10.244.1.2", "fd00:10:244:1::2"));
  EXPECT_TRUE(can_ping(pod_, "10.244.1.1"));
}

// Killed anywhere on its way, it leaves nothing that DEL does not remove.
TEST_F(BridgePlugin, AfterAKillDelCleansUp) {
  const ConfigurationList list = network(bridge_json(kDual));
  ASSERT_TRUE(runtime_.add(list, attachment("first", pod_)));  // the bridge
  ASSERT_TRUE(runtime_.del(list, attachment("first", pod_)));
  std::ofstream(directory_ + "/input") << input();
  for (int moment = 0; moment < 16; ++moment) {
    const UniqueFd in(::open((directory_ + "/input").c_str(), O_RDONLY | O_CLOEXEC));
    ProcessSpec spec = add_process();
    spec.stdin_fd = in.get();
    const Process process = start_process(spec).value();
    std::this_thread::sleep_for(std::chrono::microseconds(moment * 150));
    ::kill(process.pid, SIGKILL);
    ASSERT_TRUE(wait_for(process));
    const auto deleted = runtime_.del(list, attachment("abc", pod_));
    ASSERT_TRUE(deleted) << deleted.error().message;
    expect_untouched();
  }
}

// DEL answers before the kernel has freed the pair.
TEST_F(BridgePlugin, AfterDelTheNamesAreFreeAtOnce) {
  const ConfigurationList list = network(bridge_json(kDual));
  for (int time = 0; time < 10; ++time) {
    const auto added = runtime_.add(list, attachment("abc", pod_));
    ASSERT_TRUE(added) << added.error().message;
    ASSERT_TRUE(runtime_.del(list, attachment("abc", pod_)));
  }
  expect_untouched();
}

TEST_F(BridgePlugin, DelReleasesWhenTheNamespaceIsGone) {
  const ConfigurationList list = network(bridge_json(kIpv4));
  for (const std::string gone : {"", "/no/such/namespace", "/etc/hostname"}) {
    ASSERT_TRUE(runtime_.add(list, attachment("abc", pod_)));
    Attachment lost = attachment("abc", pod_);
    lost.netns = gone;
    const auto deleted = runtime_.del(list, lost);
    EXPECT_TRUE(deleted) << deleted.error().message;
    EXPECT_THAT(reserved(), IsEmpty());
    in(pod_, "ip link del eth0");
  }
}

TEST_F(BridgePlugin, RoutesHaveEveryFieldOfTheSpecification) {
  const std::string routes =
      R"(,"routes":[{"dst":"192.0.2.0/24","mtu":1400,"advmss":1200,"priority":7,"table":1000},)"
      R"({"dst":"198.51.100.0/24","scope":253},{"dst":"203.0.113.0/24","scope":0,"table":0},)"
      R"({"dst":"2001:db8:1::/64","mtu":1300,"advmss":1200,"priority":7,"table":1000},)"
      R"({"dst":"2001:db8:2::/64","scope":253}])";
  const ConfigurationList list = network(bridge_json(kDual, "", routes));
  const auto result = runtime_.add(list, attachment("abc", pod_));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->routes.at(0).table, 1000U);
  EXPECT_THAT(in(pod_, "ip route show table 1000"),
              HasSubstr("192.0.2.0/24 via 10.244.1.1 dev eth0 proto 87 metric 7 mtu 1400 advmss "
                        "1200"));
  EXPECT_THAT(in(pod_, "ip route"),
              AllOf(HasSubstr("198.51.100.0/24 dev eth0 proto 87 scope link"),
                    HasSubstr("203.0.113.0/24 via 10.244.1.1 dev eth0 proto 87")));
  EXPECT_THAT(in(pod_, "ip -6 route show table 1000"),
              HasSubstr("2001:db8:1::/64 via fd00:10:244:1::1 dev eth0 proto 87 metric 7 mtu 1300 "
                        "advmss 1200"));
  EXPECT_THAT(in(pod_, "ip -6 route"), HasSubstr("2001:db8:2::/64 dev eth0 proto 87"));
  EXPECT_TRUE(runtime_.del(list, attachment("abc", pod_)));
}

TEST_F(BridgePlugin, AFailingAddLeavesNothing) {
  EXPECT_THAT(add_error(network(bridge_json(kIpv4, R"(,"ipMasq":true)"))),
              HasSubstr("ipMasq: true is not supported by bridge (code 2)"));
  expect_untouched();
  // After IPAM: a route with a bad value; and one the kernel refuses, with the pair made.
  EXPECT_THAT(
      add_error(network(bridge_json(kIpv4, "", R"(,"routes":[{"dst":"192.0.2.0/24","mtu":1}])"))),
      HasSubstr("mtu: 1 is not within 68 and 65520 (code 7)"));
  expect_untouched();
  EXPECT_THAT(add_error(network(bridge_json(
                  kIpv4, "", R"(,"routes":[{"dst":"192.0.2.0/24","gw":"172.16.0.1"}])"))),
              HasSubstr("unreachable"));
  expect_untouched();
  EXPECT_THAT(
      add_error(network(bridge_json(R"([[{"subnet":"10.244.1.0/30","rangeEnd":"10.244.1.1"}]])"))),
      HasSubstr("no IP addresses available"));
  expect_untouched();
  EXPECT_THAT(add_error(network(bridge_json(kIpv4) + R"(,{"type":"no-such-plugin"})")),
              HasSubstr("failed to find plugin \"no-such-plugin\""));
}

TEST_F(BridgePlugin, AChainThatFailsIsUndone) {
  const std::string directory =
      mixture({{"bridge", WEFT_PLUGIN_DIRECTORY}, {"host-local", WEFT_PLUGIN_DIRECTORY}});
  std::ofstream(directory + "/refuse") << "#!/bin/sh\n[ $CNI_COMMAND = DEL ] && exit 0\n"
                                          "echo '{\"code\":11,\"msg\":\"later\"}'; exit 1\n";
  std::filesystem::permissions(directory + "/refuse", std::filesystem::perms::owner_all);
  runtime_.plugin_directories = {directory};
  EXPECT_EQ(add_error(network(bridge_json(kIpv4) + R"(,{"type":"refuse"})")),
            "plugin refuse ADD: later (code 11)");
  expect_untouched();
}

TEST_F(BridgePlugin, ALinkInTheWayIsNamed) {
  in(node_, "ip link add cni0 type veth peer name other");
  EXPECT_THAT(add_error(network(bridge_json(kIpv4))),
              HasSubstr("\"cni0\" already exists but is not a bridge"));
  expect_untouched();
}

TEST_F(BridgePlugin, ABridgeThatIsThereIsLeftAlone) {
  in(node_,
     "ip link add cni0 type bridge && ip link set cni0 up mtu 1400 && "
     "ip addr add 10.244.1.1/24 dev cni0 && ip addr add fd00:10:244:1::1/64 dev cni0 nodad");
  const std::string before = in(node_, "ip -j addr show dev cni0");
  const ConfigurationList list = network(bridge_json(kDual));
  ASSERT_TRUE(runtime_.add(list, attachment("abc", pod_)));
  const Json bridge = json_in(node_, "ip -j addr show dev cni0")[0];
  EXPECT_EQ(bridge["mtu"], 1400);
  EXPECT_EQ(global_addresses(bridge), global_addresses(parse_json(before).value()[0]));
  EXPECT_EQ(in(node_, "cat /proc/sys/net/ipv4/ip_forward"), "0\n");
}

TEST_F(BridgePlugin, AMissingBridgeComesWithForwarding) {
  ASSERT_TRUE(runtime_.add(network(bridge_json(kDual)), attachment("abc", pod_)));
  EXPECT_EQ(in(node_, "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding"),
            "1\n1\n");
  // Its MAC is its own: ports come and go.
  const Json before = json_in(node_, "ip -j link show dev cni0")[0];
  in(node_,
     "ip link add low address 02:00:00:00:00:01 type veth peer name other && "
     "ip link set low master cni0");
  EXPECT_EQ(json_in(node_, "ip -j link show dev cni0")[0]["address"], before["address"]);
}

TEST_F(BridgePlugin, ForwardingLeavesTheNodeItsAdvertisedRouter) {
  const NetnsGuard node = NetnsGuard::enter(node_).value();
  const AdvertisingRouter uplink("uplink");
  ASSERT_TRUE(uplink.is_heeded());
  shell("ip link add cni0 type bridge");
  ASSERT_TRUE(runtime_.add(network(bridge_json(kIpv6)), attachment("abc", pod_)));
  EXPECT_TRUE(uplink.is_default_route());
  shell("ip -6 route flush proto ra");
  EXPECT_TRUE(uplink.is_heeded());
  EXPECT_EQ(shell("cat /proc/sys/net/ipv6/conf/cni0/accept_ra").text, "1\n");
}

TEST_F(BridgePlugin, AnotherGatewayAddressIsRefusedUnlessForced) {
  in(node_,
     "ip link add cni0 type bridge && ip addr add 10.99.0.1/24 dev cni0 && ip link set cni0 up");
  EXPECT_THAT(add_error(network(bridge_json(kIpv4))),
              HasSubstr("\"cni0\" already has an IP address different from 10.244.1.1/24"));
  expect_untouched();
  ASSERT_TRUE(runtime_.add(network(bridge_json(kIpv4, R"(,"forceAddress":true)")),
                           attachment("abc", pod_)));
  EXPECT_THAT(global_addresses(json_in(node_, "ip -j addr show dev cni0")[0]),
              ElementsAre("10.244.1.1/24"));
}

TEST_F(BridgePlugin, SwitchesIpv6OnWhereThePodHasItOff) {
  in(pod_,
     "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; "
     "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
  const auto result = runtime_.add(network(bridge_json(kDual)), attachment("abc", pod_));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(can_ping(pod_, "fd00:10:244:1::1"));
  EXPECT_TRUE(can_ping(pod_, "::1"));
}

TEST_F(BridgePlugin, TakesTheMacAndAddressItIsGiven) {
  const ConfigurationList list =
      network(bridge_json(kIpv4, R"(,"capabilities":{"mac":true,"ips":true})"));
  Attachment wished = attachment("abc", pod_);
  wished.capability_args = R"({"mac":"02:11:22:33:44:55","ips":["10.244.1.77/24"]})";
  ASSERT_TRUE(runtime_.add(list, wished));
  const Json eth0 = json_in(pod_, "ip -j addr show dev eth0")[0];
  EXPECT_EQ(eth0["address"], "02:11:22:33:44:55");
  EXPECT_THAT(global_addresses(eth0), ElementsAre("10.244.1.77/24"));
}

TEST_F(BridgePlugin, ANameThatIsTakenIsAvoided) {
  ASSERT_TRUE(runtime_.add(network(bridge_json(kIpv4)), attachment("abc", pod_)));
  const std::string name = *std::next(links(node_).find("lo"));
  ASSERT_TRUE(runtime_.del(network(bridge_json(kIpv4)), attachment("abc", pod_)));
  in(node_, "ip link add " + name + " type bridge");
  const auto result = runtime_.add(network(bridge_json(kIpv4)), attachment("abc", pod_));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_NE(result->interfaces.at(1).name, name);
  EXPECT_TRUE(links(node_).contains(name));
}

TEST_F(BridgePlugin, WithoutIpamItIsALayer2Port) {
  const auto result = runtime_.add(network(R"({"type":"bridge"})"), attachment("abc", pod_));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(result->ips, IsEmpty());
  const Json eth0 = json_in(pod_, "ip -j addr show dev eth0")[0];
  EXPECT_EQ(eth0["operstate"], "UP");
  EXPECT_EQ(eth0["mtu"], 1500);
  EXPECT_TRUE(runtime_.del(network(R"({"type":"bridge"})"), attachment("abc", pod_)));
}

// The first pods of a node come together: all make the bridge, the store and their pairs at once.
TEST_F(BridgePlugin, ManyAtOnce) {
  constexpr std::size_t kPods = 8;
  const ConfigurationList list = network(bridge_json(kDual));
  std::vector<Netns> pods;
  for (std::size_t i = 0; i < kPods; ++i) pods.push_back(fresh_netns());
  std::vector<Result<CniResult>> results(kPods, CniResult{});
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kPods; ++i) {
    threads.emplace_back([&, i] {
      results[i] = runtime_.add(list, attachment("pod" + std::to_string(i), pods[i]));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> addresses;
  for (const auto& result : results) {
    ASSERT_TRUE(result) << result.error().message;
    addresses.insert(result->ips.at(0).address.to_string());
  }
  EXPECT_EQ(addresses.size(), kPods);
  EXPECT_EQ(reserved().size(), 2 * kPods);
  for (const Netns& pod : pods) EXPECT_TRUE(can_ping(pod, "10.244.1.1"));
}

}  // namespace
}  // namespace weft::cni
