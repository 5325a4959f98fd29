// SPDX-License-Identifier: Apache-2.0
//
// The doctrine as a property, against the real kernel: whatever edits came one after another, and
// whatever was done to the kernel behind our back, it ends up in the state that a resync from
// scratch into a fresh namespace gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <map>
#include <memory>

#include "base/fake_clock.h"
#include "base/temporary_directory.h"
#include "linux/netns_fixture.h"
#include "reconcile/reconciler.h"
#include "tables/address_driver.h"
#include "tables/changes.h"
#include "tables/fdb_driver.h"
#include "tables/file_driver.h"
#include "tables/link_driver.h"
#include "tables/neighbor_driver.h"
#include "tables/route_driver.h"
#include "tables/sysctl_driver.h"
#include "tables/table_states.h"

namespace weft::tables {
namespace {

using reconcile::Edit;

IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }
Prefix prefix(const std::string& text) { return Prefix::parse(text).value(); }

// A node, small enough that random sequences meet themselves: every field 0 is "not there", the
// others are variants.
struct Peer {
  int way = 0;      // 0 none, 1 VXLAN, 2 direct
  int variant = 0;  // MAC, remote, gateway
};
struct Node {
  int bridge = 0;     // MTU
  int addresses = 0;  // of the bridge, bits
  int vxlan = 0;      // VNI
  int vxlan_mtu = 0;
  int sysctls = 0;  // bits
  int file = 0;
  std::array<Peer, 3> peers{};
};

Node random_node() {
  const auto below = [](int limit) { return *rc::gen::inRange(0, limit); };
  Node node{below(3), below(8), below(3), below(2), below(4), below(3), {}};
  for (Peer& peer : node.peers) peer = {below(3), below(2)};
  return node;
}

using Kinds =
    std::tuple<LinkKind, AddressKind, NeighborKind, FdbKind, RouteKind, SysctlKind, FileKind>;
constexpr auto kEach = std::make_index_sequence<std::tuple_size_v<Kinds>>();

template <class>
struct TablesOf;
template <class... Kind>
struct TablesOf<std::tuple<Kind...>> {
  using Type = std::tuple<typename Kind::Table...>;
  using Drivers = std::tuple<std::shared_ptr<reconcile::Driver<Kind>>...>;
};
using Tables = TablesOf<Kinds>::Type;

void plan_bridge(const Node& node, Tables& out) {
  if (node.bridge == 0) return;
  LinkKind::Value bridge;
  bridge.type = netlink::Bridge{};
  bridge.mtu = node.bridge == 1 ? 1450U : 1400U;
  bridge.mac = MacAddress{{2, 0x58, 0, 0, 0, 1}};
  std::get<0>(out)["cni0"] = bridge;
  const char* addresses[] = {"10.244.1.1/24", "fd00:10:244:1::1/64", "10.244.1.1/25"};
  for (int i = 0; i < 3; ++i)
    if ((node.addresses & 1 << i) != 0) std::get<1>(out)[{"cni0", prefix(addresses[i])}];
}

void plan_vxlan(const Node& node, Tables& out) {
  if (node.vxlan == 0) return;
  LinkKind::Value vxlan;
  vxlan.type = netlink::Vxlan{static_cast<std::uint32_t>(node.vxlan), 8472, ip("172.31.0.11")};
  vxlan.lower = "eth0";
  vxlan.mtu = node.vxlan_mtu == 0 ? 1450U : 1400U;
  vxlan.mac = MacAddress{{2, 0x57, 0, 0, 0, 1}};
  std::get<0>(out)["weft.1"] = vxlan;
  for (const char* address : {"10.244.1.0/32", "fd00:10:244:1::/128"})
    std::get<1>(out)[{"weft.1", prefix(address)}];
}

void plan_peer(const Node& node, std::size_t index, Tables& out) {
  const Peer& peer = node.peers[index];
  const auto number = static_cast<std::uint8_t>(index + 2);
  const std::string id = std::to_string(number);
  const std::uint64_t variant = static_cast<std::uint64_t>(peer.variant) * 16;
  for (const auto& [cidr, underlay] :
       {std::pair{"10.244." + id + ".0/24", "172.31.0." + id},
        std::pair{"fd00:10:244:" + id + "::/64", "fd00:31::" + id}}) {
    const Prefix pods = prefix(cidr);
    RouteKind::Value route;
    if (peer.way == 1 && node.vxlan != 0) {
      const MacAddress mac{{2, 0x57, 0, 0, static_cast<std::uint8_t>(peer.variant), number}};
      route.link = "weft.1";
      route.gateway = pods.at(0);
      route.onlink = true;
      std::get<2>(out)[{"weft.1", pods.at(0)}] = {mac};
      if (pods.family() == IpFamily::kIpv4)
        std::get<3>(out)[{"weft.1", mac}] = {ip(underlay).plus(variant)};
    } else if (peer.way == 2) {
      route.link = "eth0";
      route.gateway = ip(underlay).plus(variant);
    } else {
      continue;
    }
    std::get<4>(out)[{pods, index == 2 ? 50U : 0U}] = route;
  }
}

Tables plan(const Node& node, const std::string& directory) {
  Tables out;
  plan_bridge(node, out);
  plan_vxlan(node, out);
  for (std::size_t i = 0; i < node.peers.size(); ++i) plan_peer(node, i, out);
  if ((node.sysctls & 1) != 0) std::get<5>(out)["net/ipv4/ip_forward"] = "1";
  if ((node.sysctls & 2) != 0) std::get<5>(out)["net/ipv6/conf/all/forwarding"] = "1";
  if (node.file != 0)
    std::get<6>(out)[directory + "/net.d/10-weft.conflist"] = std::to_string(node.file);
  return out;
}

// A namespace with an underlay, and a Reconciler that writes to it.
class World {
 public:
  World() {
    const NetnsGuard inside = NetnsGuard::enter(netns_).value();
    run("echo 0 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding;"
        "ip -batch - <<END\n"
        "link set lo up\nlink add eth0 type veth peer name far0\nlink set far0 up\nlink set eth0 "
        "up\n"
        "addr add 172.31.0.11/24 dev eth0\naddr add fd00:31::11/64 dev eth0 nodad\n"
        // Someone else's, which is to stay.
        "link add other0 type veth peer name other1\nlink set other0 up\nlink set other1 up\n"
        "addr add 192.0.2.1/24 dev other0\nroute add 10.77.0.0/16 via 192.0.2.7\n"
        "route add 10.78.0.0/16 via 192.0.2.7 table 87 proto 87\n"
        "neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev other0 nud permanent\nEND\n");
    const Ownership owned{.links = {"cni0", "weft.1"}, .protocol = 87, .port_group = 87};
    add<FileKind>(
        std::make_shared<FileDriver>(
            std::vector<std::string>{directory() + "/net.d/10-weft.conflist"}, directory()),
        {.stage = 0});
    add<LinkKind>(std::make_shared<LinkDriver>(socket_, owned), {.stage = 1, .cascades = true});
    add<SysctlKind>(std::make_shared<SysctlDriver>(Netns::current().value(), directory(),
                                                   "this boot", owned.links),
                    {.stage = 2, .rests_on_links = true});
    add<AddressKind>(std::make_shared<AddressDriver>(socket_, owned),
                     {.stage = 3, .rests_on_links = true, .cascades = true});
    add<NeighborKind>(std::make_shared<NeighborDriver>(socket_, owned),
                      {.stage = 4, .rests_on_links = true});
    add<FdbKind>(std::make_shared<FdbDriver>(socket_, owned), {.stage = 4, .rests_on_links = true});
    add<RouteKind>(std::make_shared<RouteDriver>(socket_, owned),
                   {.stage = 5, .rests_on_links = true});
    reconciler_.start();
    settle();
  }

  const std::string& directory() const { return directory_.path(); }

  // From what was planned before to what `next` plans, as edits.
  void merge(const Node& next) {
    const Tables tables = plan(next, directory());
    merge_kinds(tables, kEach);
    planned_ = tables;
    settle();
  }

  void drift(const std::string& command) {
    const NetnsGuard inside = NetnsGuard::enter(netns_).value();
    shell(command);
    mark_kinds(kEach);
    settle();
  }

  // What verify() still finds after the kernel's late doings (a carrier that comes, an address
  // whose detection ends) were answered as the agent answers their notifications.
  std::vector<std::string> verify_when_quiet() {
    std::vector<std::string> found = verify();
    for (int notification = 0; notification < 3 && !found.empty(); ++notification) {
      mark_kinds(kEach);
      settle();
      found = verify();
    }
    return found;
  }

  std::vector<std::string> verify() {
    std::vector<std::string> lines;
    reconciler_.verify([&](const Result<std::vector<reconcile::Drift>>& drifts) {
      if (!drifts) return lines.push_back(drifts.error().message);
      for (const auto& drift : *drifts)
        lines.push_back(drift.kind + " " + drift.key + ": " + drift.actual + " -> " +
                        drift.desired);
    });
    return lines;
  }

  // Everything the drivers read, printed; directories, which differ between worlds, left out.
  std::string state() {
    std::string text;
    print<LinkKind>(text);
    print<AddressKind>(text);
    print<NeighborKind>(text);
    print<FdbKind>(text);
    print<RouteKind>(text);
    print<SysctlKind>(text);
    const FileKind::Table files = read<FileKind>().value();
    for (const auto& [path, content] : files) text += "file " + content + "\n";
    return text;
  }

  std::string foreign() {
    const NetnsGuard inside = NetnsGuard::enter(netns_).value();
    return shell(
               "ip -o -4 addr show dev other0 scope global; ip route show 10.77.0.0/16;"
               "ip route show table 87; ip neigh show dev other0 nud permanent")
        .text;
  }

 private:
  static void run(const std::string& command) {
    const ShellOutput output = shell(command);
    RC_ASSERT(output.status == 0);
  }

  template <class Kind>
  void add(std::shared_ptr<reconcile::Driver<Kind>> driver, reconcile::Placement placement) {
    std::get<std::shared_ptr<reconcile::Driver<Kind>>>(drivers_) = driver;
    reconciler_.add<Kind>(std::move(driver), std::move(placement));
  }
  template <class Kind>
  Result<typename Kind::Table> read() {
    return reconcile::read_all(*std::get<std::shared_ptr<reconcile::Driver<Kind>>>(drivers_));
  }

  template <class Kind>
  void print(std::string& text) {
    const auto table = read<Kind>();
    RC_ASSERT(table.has_value());
    for (const auto& [key, value] : *table)
      text += std::string(Kind::kName) + " " + Kind::describe(key) + ": " + Kind::describe(value) +
              "\n";
  }

  template <std::size_t... I>
  void merge_kinds(const Tables& next, std::index_sequence<I...>) {
    (merge_kind<I>(next), ...);
  }
  template <std::size_t... I>
  void mark_kinds(std::index_sequence<I...>) {
    (reconciler_.mark(std::tuple_element_t<I, Kinds>::kName), ...);
  }
  template <std::size_t I>
  void merge_kind(const Tables& next) {
    using Kind = std::tuple_element_t<I, Kinds>;
    std::vector<Edit<Kind>> edits;
    for (const auto& [key, value] : std::get<I>(planned_))
      if (!std::get<I>(next).contains(key)) edits.push_back({key, std::nullopt});
    for (const auto& [key, value] : std::get<I>(next)) edits.push_back({key, value});
    reconciler_.merge<Kind>("test", edits);
  }

  void settle() {
    for (int round = 0; round < 200; ++round) {
      reconciler_.run();
      if (reconciler_.settled()) return;
      if (const auto deadline = reconciler_.deadline())
        clock_.time = std::max(clock_.time, *deadline);
    }
    std::string why = "does not settle";
    for (const Error& error : reconciler_.failing()) why += ": " + error.message;
    RC_FAIL(why);
  }

  const TemporaryDirectory directory_{};
  Netns netns_ = fresh_netns();
  netlink::Socket socket_ = netlink::Socket::open(NETLINK_ROUTE, netns_).value();
  FakeClock clock_{};
  TablesOf<Kinds>::Drivers drivers_{};
  reconcile::Reconciler reconciler_{clock_, {}, {}};
  Tables planned_{};
};

std::string random_drift() {
  static const std::vector<std::string> drifts{
      "ip link del weft.1",
      "ip link del cni0",
      "ip link set weft.1 down",
      "ip link set cni0 down; ip link set cni0 up",
      "ip link set weft.1 mtu 1300 address 02:00:00:00:00:77",
      "ip link set cni0 mtu 1300",
      "ip link set cni0 down; ip link set cni0 name cni7",
      "ip link del weft.1; ip link add weft.1 type vxlan id 9 dev eth0 dstport 8472",
      "ip link del cni0; ip link add cni0 type veth peer name cni8",
      "ip addr flush dev cni0 scope global; ip addr add 10.244.1.1/16 dev cni0",
      "ip addr add 10.9.9.9/32 dev weft.1; ip addr add fd00:9::9/128 dev weft.1",
      "ip addr add 10.244.1.9/24 dev cni0; ip addr del 10.244.1.1/24 dev cni0",
      "ip addr del fd00:10:244:1::1/64 dev cni0; ip addr add fd00:10:244:1::1/128 dev cni0",
      R"(ip neigh flush dev weft.1 nud permanent
         ip neigh add 10.244.9.0 lladdr 02:00:00:00:00:09 dev weft.1 nud permanent)",
      "bridge fdb add 02:00:00:00:00:09 dev weft.1 dst 172.31.0.99 self permanent",
      R"(for mac in $(bridge fdb show dev weft.1 | cut -d' ' -f1); do
           bridge fdb replace $mac dev weft.1 dst 172.31.0.98 self permanent
         done)",
      "ip route flush proto 87; ip -6 route flush proto 87",
      "ip route replace 10.244.2.0/24 via 172.31.0.77 proto 87",
      R"(ip route change 10.244.3.0/24 via 172.31.0.77
         ip -6 route change fd00:10:244:3::/64 via fd00:31::77)",
      R"(ip route append 10.244.2.0/24 via 172.31.0.78 proto 87
         ip route append 10.244.2.0/24 via 172.31.0.79 proto 87
         ip -6 route append fd00:10:244:2::/64 via fd00:31::77 proto 87)",
      "ip -6 route change fd00:10:244:2::/64 dev eth0",
      "ip route add 10.99.0.0/16 via 172.31.0.77 proto 87 metric 7",
      "ip link set eth0 down; ip link set eth0 up; ip addr add fd00:31::11/64 dev eth0 nodad",
      "echo 0 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding",
  };
  return *rc::gen::elementOf(drifts);
}

TEST(ReconcileProperty, EndsWhereAResyncFromScratchDoes) {
  const bool holds = rc::check("incremental edits and drift end where a resync does", [] {
    World world;
    Node node;
    const int steps = *rc::gen::inRange(1, 7);
    for (int step = 0; step < steps; ++step) {
      if (*rc::gen::inRange(0, 3) == 0) {
        const std::string command = random_drift();
        RC_LOG() << "drift " << command << "\n";
        world.drift(command);
      } else {
        node = random_node();
        world.merge(node);
      }
      RC_ASSERT(world.verify_when_quiet() == std::vector<std::string>{});
    }
    World scratch;
    scratch.merge(node);
    RC_ASSERT(world.state() == scratch.state());
    RC_ASSERT(world.foreign() == scratch.foreign());
    world.merge(Node{});
    RC_ASSERT(world.verify_when_quiet() == std::vector<std::string>{});
    RC_ASSERT(world.state() == "");
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace weft::tables
