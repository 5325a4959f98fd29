// SPDX-License-Identifier: Apache-2.0
#include "model/service_compiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

Service service(const std::string& name, std::vector<IpAddress> ips, std::vector<ServicePort> ports,
                ServiceType type = ServiceType::kClusterIp) {
  Service made;
  made.name = {"default", name};
  made.type = type;
  made.cluster_ips = std::move(ips);
  made.ports = std::move(ports);
  return made;
}

Endpoint endpoint(std::string_view address, const std::string& node = "", bool ready = true) {
  return {{ip(address)}, ready, ready, false, node};
}

EndpointSlice slice(const std::string& name, const std::string& of, IpFamily family,
                    std::vector<Endpoint> endpoints, std::vector<EndpointPort> ports) {
  return {{"default", name}, of, family, std::move(endpoints), std::move(ports)};
}

const ServicePort kHttp{"http", Protocol::kTcp, 80, 30080};
const ServicePort kDns{"dns", Protocol::kUdp, 53, 0};
const EndpointPort kHttpTarget{"http", Protocol::kTcp, 8080};
const EndpointPort kDnsTarget{"dns", Protocol::kUdp, 5353};

class Compile : public ::testing::Test {
 protected:
  ServiceDelta compile() { return compiler_.compile(state_, state_.take_changes()); }
  std::vector<std::string> backends(const Frontend& frontend) const {
    std::vector<std::string> texts;
    const auto found = compiler_.table().frontends.find(frontend);
    if (found == compiler_.table().frontends.end()) return {"no frontend"};
    for (const Backend& backend : compiler_.table().backends_of(found->second))
      texts.push_back(backend.to_string() + (backend.local ? " local" : ""));
    return texts;
  }

  ClusterState state_{};
  ServiceCompiler compiler_{{"node1", {ip("172.31.0.11"), ip("fd00:172:31::11")}}};
};

TEST_F(Compile, MatchesPortsByNameAndProtocol) {
  state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp, kDns}));
  state_.upsert(slice("web-1", "web", IpFamily::kIpv4,
                      {endpoint("10.244.1.2", "node1"), endpoint("10.244.2.2", "node2")},
                      {kDnsTarget, kHttpTarget, {"dns", Protocol::kTcp, 1}}));
  compile();
  EXPECT_THAT(backends({ip("10.96.0.1"), Protocol::kTcp, 80}),
              ElementsAre("10.244.1.2:8080 local", "10.244.2.2:8080"));
  EXPECT_THAT(backends({ip("10.96.0.1"), Protocol::kUdp, 53}),
              ElementsAre("10.244.1.2:5353 local", "10.244.2.2:5353"));
  EXPECT_EQ(compiler_.table().frontends.size(), 2U);
}

TEST_F(Compile, TakesOnlyReadyEndpointsOnceAndSorted) {
  state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp}));
  state_.upsert(slice("web-1", "web", IpFamily::kIpv4,
                      {endpoint("10.244.9.9"), endpoint("10.244.1.3", "", false)}, {kHttpTarget}));
  state_.upsert(slice("web-2", "web", IpFamily::kIpv4,
                      {endpoint("10.244.9.9", "node1"), endpoint("10.244.1.1")}, {kHttpTarget}));
  compile();
  EXPECT_THAT(backends({ip("10.96.0.1"), Protocol::kTcp, 80}),
              ElementsAre("10.244.1.1:8080", "10.244.9.9:8080 local"));
}

TEST_F(Compile, ServesBothFamilies) {
  state_.upsert(service("web", {ip("10.96.0.1"), ip("fd00:10:96::1")}, {kHttp}));
  state_.upsert(slice("web-4", "web", IpFamily::kIpv4, {endpoint("10.244.1.2")}, {kHttpTarget}));
  state_.upsert(slice("web-6", "web", IpFamily::kIpv6,
                      {endpoint("fd00:10:244:1::2"), endpoint("fd00:10:244:2::2")}, {kHttpTarget}));
  compile();
  EXPECT_THAT(backends({ip("10.96.0.1"), Protocol::kTcp, 80}), ElementsAre("10.244.1.2:8080"));
  EXPECT_THAT(backends({ip("fd00:10:96::1"), Protocol::kTcp, 80}),
              ElementsAre("[fd00:10:244:1::2]:8080", "[fd00:10:244:2::2]:8080"));
}

TEST_F(Compile, NodePortsOnTheNodesAddressesOfTheServicesFamilies) {
  for (const ServiceType type : {ServiceType::kNodePort, ServiceType::kLoadBalancer}) {
    state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp, kDns}, type));
    compile();
    EXPECT_EQ(compiler_.table().frontends.size(), 3U);
    const auto& entry = compiler_.table().frontends.at({ip("172.31.0.11"), Protocol::kTcp, 30080});
    EXPECT_EQ(entry.kind, FrontendKind::kNodePort);
    EXPECT_TRUE(entry.masquerade);
    EXPECT_FALSE(compiler_.table().frontends.at({ip("10.96.0.1"), Protocol::kTcp, 80}).masquerade);
    EXPECT_THAT(compiler_.table().cluster_ips, ElementsAre(std::pair(ip("10.96.0.1"), 2U)));
  }
  state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp}));  // a ClusterIP has no node ports
  compile();
  EXPECT_EQ(compiler_.table().frontends.size(), 1U);
}

TEST_F(Compile, AFamilyThatTheNodeLacksHasNoFrontends) {
  state_.upsert(service("web", {ip("10.96.0.1"), ip("fd00:10:96::1")}, {kHttp}));
  compile();
  EXPECT_EQ(compiler_.table().frontends.size(), 2U);
  compiler_.set_node({"node1", {}, {IpFamily::kIpv4}});
  compile();
  EXPECT_EQ(compiler_.table().frontends.size(), 1U);
}

TEST_F(Compile, HeadlessAndExternalNameHaveNoFrontends) {
  state_.upsert(service("headless", {}, {kHttp}));
  state_.upsert(service("elsewhere", {ip("10.96.0.1")}, {kHttp}, ServiceType::kExternalName));
  EXPECT_TRUE(compile().empty());
  EXPECT_THAT(compiler_.table().frontends, IsEmpty());
}

TEST_F(Compile, WithoutEndpointsAFrontendStands) {
  state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp}));
  compile();
  EXPECT_THAT(backends({ip("10.96.0.1"), Protocol::kTcp, 80}), IsEmpty());
}

TEST_F(Compile, TheFirstByNameKeepsAContestedFrontend) {
  const Frontend contested{ip("10.96.0.1"), Protocol::kTcp, 80};
  const auto owner = [&] { return compiler_.table().frontends.at(contested).pool.service.name; };
  state_.upsert(service("b", {ip("10.96.0.1")}, {kHttp}));
  compile();
  EXPECT_EQ(owner(), "b");
  state_.upsert(service("c", {ip("10.96.0.1")}, {kHttp}));
  EXPECT_TRUE(compile().empty());
  EXPECT_THAT(compiler_.take_new_problems(),
              ElementsAre(ServiceProblem{
                  {"default", "c"}, "10.96.0.1:80/TCP is not served: Service default/b has it"}));
  state_.upsert(service("a", {ip("10.96.0.1")}, {kHttp}));
  EXPECT_EQ(compile().frontends.size(), 1U);
  EXPECT_EQ(owner(), "a");
  EXPECT_EQ(compiler_.problems().size(), 2U);

  state_.remove(key<Service>({"default", "a"}));
  state_.remove(key<Service>({"default", "b"}));
  EXPECT_EQ(compile().frontends.size(), 1U);
  EXPECT_EQ(owner(), "c");
  EXPECT_THAT(compiler_.problems(), IsEmpty());
  EXPECT_EQ(compiler_.table().cluster_ips.at(ip("10.96.0.1")), 1U);
}

TEST_F(Compile, TheDeltaHasFrontendsAndSlots) {
  const PoolKey pool{{"default", "web"}, "http", Protocol::kTcp, IpFamily::kIpv4};
  const Frontend web{ip("10.96.0.1"), Protocol::kTcp, 80};
  const Backend two{ip("10.244.1.2"), 8080, false};
  const Backend two_local{ip("10.244.1.2"), 8080, true};
  const Backend three{ip("10.244.1.3"), 8080, false};
  state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp}));
  state_.upsert(
      slice("s", "web", IpFamily::kIpv4, {endpoint("10.244.1.2", "node1")}, {kHttpTarget}));
  ServiceDelta delta = compile();
  ASSERT_EQ(delta.frontends.size(), 1U);
  EXPECT_FALSE(delta.frontends[0].previous);
  EXPECT_THAT(delta.cluster_ips, ElementsAre(ip("10.96.0.1")));
  EXPECT_THAT(delta.pools, ElementsAre(PoolChange{pool, {}, 0, 1, {{0, std::nullopt, two_local}}}));

  state_.upsert(slice("s", "web", IpFamily::kIpv4, {endpoint("10.244.1.2"), endpoint("10.244.1.3")},
                      {kHttpTarget}));
  delta = compile();
  EXPECT_THAT(delta.frontends, IsEmpty());
  EXPECT_THAT(delta.cluster_ips, IsEmpty());
  EXPECT_THAT(
      delta.pools,
      ElementsAre(PoolChange{pool, {web}, 1, 2, {{0, two_local, two}, {1, std::nullopt, three}}}));

  state_.remove(key<Service>({"default", "web"}));
  delta = compile();
  EXPECT_FALSE(delta.frontends[0].current);
  EXPECT_THAT(
      delta.pools,
      ElementsAre(PoolChange{pool, {}, 2, 0, {{0, two, std::nullopt}, {1, three, std::nullopt}}}));
  EXPECT_EQ(compiler_.table(), ServiceTable{});
}

TEST_F(Compile, TheFrontendsOfAPortAndFamilyShareAPool) {
  state_.upsert(service("web", {ip("10.96.0.1"), ip("fd00:10:96::1")}, {kHttp, kDns},
                        ServiceType::kNodePort));
  compile();
  ASSERT_EQ(compiler_.table().frontends.size(), 6U);
  EXPECT_EQ(compiler_.table().pools.size(), 4U);
  const PoolKey pool{{"default", "web"}, "http", Protocol::kTcp, IpFamily::kIpv4};
  EXPECT_THAT(compiler_.table().pools.at(pool).frontends,
              ElementsAre(Frontend{ip("10.96.0.1"), Protocol::kTcp, 80},
                          Frontend{ip("172.31.0.11"), Protocol::kTcp, 30080}));
  // An address that changes takes nothing along.
  state_.upsert(service("web", {ip("10.96.0.2"), ip("fd00:10:96::1")}, {kHttp, kDns},
                        ServiceType::kNodePort));
  const ServiceDelta delta = compile();
  EXPECT_EQ(delta.frontends.size(), 4U);
  EXPECT_THAT(delta.pools, IsEmpty());
}

TEST_F(Compile, BackendsKeepTheirSlots) {
  const auto serve = [&](std::vector<Endpoint> endpoints) {
    state_.upsert(slice("s", "web", IpFamily::kIpv4, std::move(endpoints), {kHttpTarget}));
    compile();
    return backends({ip("10.96.0.1"), Protocol::kTcp, 80});
  };
  state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp}));
  const Endpoint one = endpoint("10.244.1.1");
  const Endpoint two = endpoint("10.244.1.2");
  const Endpoint three = endpoint("10.244.1.3");
  const Endpoint four = endpoint("10.244.1.4");
  EXPECT_THAT(serve({three, two, one}),
              ElementsAre("10.244.1.1:8080", "10.244.1.2:8080", "10.244.1.3:8080"));
  EXPECT_THAT(serve({two, three, four}),  // the new one in the place of the old
              ElementsAre("10.244.1.4:8080", "10.244.1.2:8080", "10.244.1.3:8080"));
  EXPECT_THAT(serve({three, four}),  // the last moves up
              ElementsAre("10.244.1.4:8080", "10.244.1.3:8080"));
  EXPECT_THAT(serve({one, three, four}),
              ElementsAre("10.244.1.4:8080", "10.244.1.3:8080", "10.244.1.1:8080"));

  ServiceCompiler restarted{{"node1", {}}};
  restarted.resume(compiler_.table());
  restarted.set_node({"node2", {}});
  restarted.compile_all(state_);
  EXPECT_EQ(restarted.table(), compiler_.table());
}

TEST_F(Compile, ResumesFromATableThatSomebodyTamperedWith) {
  state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp}));
  state_.upsert(slice("s", "web", IpFamily::kIpv4, {endpoint("10.244.1.1"), endpoint("10.244.1.2")},
                      {kHttpTarget}));
  const Backend twice{ip("10.244.1.2"), 8080, false};
  ServiceTable left;
  add_with_own_pool(left, {ip("10.96.0.1"), Protocol::kTcp, 80},
                    {FrontendKind::kClusterIp, {twice, twice, twice}, false});
  compiler_.resume(left);
  compile();
  EXPECT_THAT(backends({ip("10.96.0.1"), Protocol::kTcp, 80}),
              ElementsAre("10.244.1.2:8080", "10.244.1.1:8080"));
}

TEST_F(Compile, ANodeOfAnotherNameOrAddressCompilesAll) {
  state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp}, ServiceType::kNodePort));
  state_.upsert(
      slice("s", "web", IpFamily::kIpv4, {endpoint("10.244.1.2", "node1")}, {kHttpTarget}));
  compile();
  compiler_.set_node({"node1", {ip("172.31.0.11"), ip("fd00:172:31::11")}});
  EXPECT_TRUE(compile().empty());
  compiler_.set_node({"node2", {ip("172.31.0.12")}});
  const ServiceDelta delta = compile();
  EXPECT_EQ(delta.frontends.size(), 2U);
  ASSERT_EQ(delta.pools.size(), 1U);
  EXPECT_EQ(delta.pools[0].slots.size(), 1U);
  EXPECT_TRUE(compiler_.table().frontends.contains({ip("172.31.0.12"), Protocol::kTcp, 30080}));
  EXPECT_THAT(backends({ip("10.96.0.1"), Protocol::kTcp, 80}), ElementsAre("10.244.1.2:8080"));
}

// ---- Properties: random sequences of changes, few enough values that they collide ---------------

const std::vector<std::string> kNames{"a", "b", "c", "d"};

// inRange alone would begin with narrow ranges and widen them.
template <class Number>
Number random(Number low, Number high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<Number>(low, high));
}

IpAddress random_address(IpFamily family) {
  const auto last = random<std::uint64_t>(1, 4);
  return ip(family == IpFamily::kIpv4 ? "10.96.0.0" : "fd00:10:96::").plus(last);
}

IpFamily random_family() { return *rc::gen::element(IpFamily::kIpv4, IpFamily::kIpv6); }

Service random_service() {
  Service made = service(*rc::gen::elementOf(kNames), {}, {});
  made.type = *rc::gen::element(ServiceType::kClusterIp, ServiceType::kNodePort,
                                ServiceType::kLoadBalancer, ServiceType::kExternalName);
  for (int i = random<int>(0, 3); i > 0; --i)
    made.cluster_ips.push_back(random_address(random_family()));
  made.session_affinity = *rc::gen::element(SessionAffinity::kNone, SessionAffinity::kClientIp);
  made.external_traffic_policy = *rc::gen::element(TrafficPolicy::kCluster, TrafficPolicy::kLocal);
  for (int i = random<int>(0, 3); i > 0; --i)
    made.ports.push_back({*rc::gen::elementOf(kNames),
                          *rc::gen::element(Protocol::kTcp, Protocol::kUdp, Protocol::kSctp),
                          random<std::uint16_t>(1, 4), random<std::uint16_t>(0, 3)});
  return made;
}

EndpointSlice random_slice() {
  EndpointSlice made =
      slice(*rc::gen::elementOf(kNames), *rc::gen::elementOf(kNames), random_family(), {}, {});
  for (int i = random<int>(0, 4); i > 0; --i)
    made.endpoints.push_back({{random_address(made.family)},
                              *rc::gen::arbitrary<bool>(),
                              true,
                              false,
                              *rc::gen::element<std::string>("", "node1", "node2")});
  for (int i = random<int>(0, 3); i > 0; --i)
    made.ports.push_back({*rc::gen::elementOf(kNames),
                          *rc::gen::element(Protocol::kTcp, Protocol::kUdp),
                          random<std::uint16_t>(1, 3)});
  return made;
}

void random_change(ClusterState& state) {
  const ObjectName name{"default", *rc::gen::elementOf(kNames)};
  switch (random<int>(0, 6)) {
    case 0:
      return state.remove(key<Service>(name));
    case 1:
      return state.remove(key<EndpointSlice>(name));
    case 2:
    case 3:
      return state.upsert(random_service());
    default:
      return state.upsert(random_slice());
  }
}

// Whoever stays, and whose slot there still is, is where it was.
bool slots_kept(const std::vector<Backend>& before, const std::vector<Backend>& now) {
  for (std::size_t slot = 0; slot < std::min(before.size(), now.size()); ++slot) {
    const Backend& was = before[slot];
    const bool stays = std::any_of(
        now.begin(), now.end(), [&](const Backend& backend) { return same_target(backend, was); });
    if (stays && !same_target(now[slot], was)) return false;
  }
  return true;
}

// The same without slots.
ServiceTable in_order(ServiceTable table) {
  for (auto& [key, pool] : table.pools) std::sort(pool.backends.begin(), pool.backends.end());
  return table;
}

// The delta is what lies between the two, and says what there was before.
void expect_between(const ServiceTable& before, const ServiceDelta& delta,
                    const ServiceTable& now) {
  RC_ASSERT(delta == difference(before, now));
  for (const auto& [key, pool] : before.pools) {
    RC_ASSERT(size_before(now, delta, key) == pool.backends.size());
    RC_ASSERT(backends_before(now, delta, key) == pool.backends);
    if (const auto stays = now.pools.find(key); stays != now.pools.end())
      RC_ASSERT(slots_kept(pool.backends, stays->second.backends));
  }
  std::map<PoolKey, std::vector<Frontend>> led_to;
  for (const auto& [frontend, entry] : now.frontends) led_to[entry.pool].push_back(frontend);
  RC_ASSERT(led_to.size() == now.pools.size());
  for (const auto& [key, frontends] : led_to) RC_ASSERT(now.pools.at(key).frontends == frontends);
}

TEST(Property, IncrementalIsFromScratchAndTheDeltaIsExact) {
  EXPECT_TRUE(rc::check([] {
    ClusterState state;
    const std::vector<IpAddress> addresses{ip("172.31.0.11"), ip("10.96.0.2"), ip("fd00::11")};
    ServiceNode node{"node1", addresses};
    ServiceCompiler incremental(node);
    NodeAddresses node_addresses;
    for (int step = random<int>(1, 12); step > 0; --step) {
      for (int i = random<int>(1, 4); i > 0; --i) random_change(state);
      if (random<int>(0, 5) == 0) {
        node.name = *rc::gen::element<std::string>("node1", "node2");
        node.node_port_addresses =
            *rc::gen::container<std::vector<IpAddress>>(rc::gen::elementOf(addresses));
        incremental.set_node(node);
      }
      if (random<int>(0, 3) == 0) {
        node_addresses.clear();
        for (const char* text : {"10.96.0.1", "10.96.0.2", "fd00:10:96::1"})
          if (random<int>(0, 2) == 0) node_addresses[ip(text)].name = "node3";
        incremental.set_node_addresses(state, node_addresses);
      }
      const ServiceTable before = incremental.table();
      const ServiceDelta told = incremental.compile(state, state.take_changes());
      expect_between(before, told, incremental.table());
      ServiceCompiler anew(node);
      anew.set_node_addresses({}, node_addresses);
      const ServiceDelta delta = anew.compile_all(state);
      RC_ASSERT(in_order(incremental.table()) == anew.table());
      RC_ASSERT(delta == from_scratch(anew.table()));
      ServiceCompiler resumed(node);
      resumed.set_node_addresses({}, node_addresses);
      resumed.resume(incremental.table());
      resumed.compile_all(state);
      RC_ASSERT(resumed.table() == incremental.table());
      RC_ASSERT(incremental.problems() == anew.problems());
    }
  }));
}

}  // namespace
}  // namespace weft::model
