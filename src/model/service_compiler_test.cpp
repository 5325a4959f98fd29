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
  ServiceDelta compile() { return compiler_.compile(state_, state_.take_changes().services()); }
  std::vector<std::string> backends(const Frontend& frontend) const {
    std::vector<std::string> texts;
    const auto found = compiler_.table().frontends.find(frontend);
    if (found == compiler_.table().frontends.end()) return {"no frontend"};
    for (const Backend& backend : found->second.backends)
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
  EXPECT_THAT(compiler_.table().local_backends, ElementsAre(std::pair(ip("10.244.1.2"), 2U)));
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
  EXPECT_EQ(compiler_.table().backend_counts,
            (std::map<ServiceTable::BackendCount, std::size_t>{{{IpFamily::kIpv4, 1U}, 1U},
                                                               {{IpFamily::kIpv6, 2U}, 1U}}));
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
  compiler_.set_node(state_, {"node1", {}, {IpFamily::kIpv4}});
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
  EXPECT_THAT(compiler_.table().backend_counts, IsEmpty());
}

TEST_F(Compile, TheFirstByNameKeepsAContestedFrontend) {
  const Frontend contested{ip("10.96.0.1"), Protocol::kTcp, 80};
  const auto owner = [&] { return compiler_.table().frontends.at(contested).service.name; };
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

TEST_F(Compile, TheDeltaHasPreviousAndCurrent) {
  state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp}));
  state_.upsert(
      slice("s", "web", IpFamily::kIpv4, {endpoint("10.244.1.2", "node1")}, {kHttpTarget}));
  ServiceDelta delta = compile();
  ASSERT_EQ(delta.frontends.size(), 1U);
  EXPECT_FALSE(delta.frontends[0].previous);
  EXPECT_THAT(delta.cluster_ips, ElementsAre(ip("10.96.0.1")));
  EXPECT_THAT(delta.local_backends, ElementsAre(ip("10.244.1.2")));
  EXPECT_THAT(delta.backend_counts, ElementsAre(std::pair(IpFamily::kIpv4, 1U)));

  state_.upsert(slice("s", "web", IpFamily::kIpv4, {endpoint("10.244.1.2"), endpoint("10.244.1.3")},
                      {kHttpTarget}));
  delta = compile();
  ASSERT_EQ(delta.frontends.size(), 1U);
  EXPECT_EQ(delta.frontends[0].previous->backends.size(), 1U);
  EXPECT_EQ(delta.frontends[0].current->backends.size(), 2U);
  EXPECT_THAT(delta.cluster_ips, IsEmpty());
  EXPECT_THAT(delta.local_backends, ElementsAre(ip("10.244.1.2")));  // no longer on this node
  EXPECT_EQ(delta.backend_counts.size(), 2U);

  state_.remove(key<Service>({"default", "web"}));
  delta = compile();
  EXPECT_FALSE(delta.frontends[0].current);
  EXPECT_EQ(compiler_.table(), ServiceTable{});
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
  restarted.set_node(state_, {"node2", {}});
  restarted.compile(state_, {{"default", "web"}});
  EXPECT_EQ(restarted.table(), compiler_.table());
}

TEST_F(Compile, ResumesFromATableThatSomebodyTamperedWith) {
  state_.upsert(service("web", {ip("10.96.0.1")}, {kHttp}));
  state_.upsert(slice("s", "web", IpFamily::kIpv4, {endpoint("10.244.1.1"), endpoint("10.244.1.2")},
                      {kHttpTarget}));
  const Backend twice{ip("10.244.1.2"), 8080, false};
  ServiceTable left;
  left.frontends[{ip("10.96.0.1"), Protocol::kTcp, 80}].backends = {twice, twice, twice};
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
  EXPECT_TRUE(
      compiler_.set_node(state_, {"node1", {ip("172.31.0.11"), ip("fd00:172:31::11")}}).empty());
  const ServiceDelta delta = compiler_.set_node(state_, {"node2", {ip("172.31.0.12")}});
  EXPECT_EQ(delta.frontends.size(), 3U);
  EXPECT_TRUE(compiler_.table().frontends.contains({ip("172.31.0.12"), Protocol::kTcp, 30080}));
  EXPECT_THAT(backends({ip("10.96.0.1"), Protocol::kTcp, 80}), ElementsAre("10.244.1.2:8080"));
}

TEST(Text, OfFrontendsAndBackends) {
  EXPECT_EQ((Frontend{ip("10.96.0.10"), Protocol::kUdp, 53}).to_string(), "10.96.0.10:53/UDP");
  EXPECT_EQ((Frontend{ip("fd00::1"), Protocol::kTcp, 80}).to_string(), "[fd00::1]:80/TCP");
  EXPECT_EQ((Backend{ip("fd00::2"), 80, false}).to_string(), "[fd00::2]:80");
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

std::set<ObjectName> all_services(const ClusterState& state) {
  std::set<ObjectName> names;
  for (const auto& [name, known] : state.services()) names.insert(name);
  return names;
}

// Whoever stays, and whose slot there still is, is where it was.
bool slots_kept(const FrontendEntry& before, const FrontendEntry& now) {
  const auto same = [](const Backend& a, const Backend& b) {
    return a.address == b.address && a.port == b.port;
  };
  for (std::size_t slot = 0; slot < std::min(before.backends.size(), now.backends.size()); ++slot) {
    const Backend& was = before.backends[slot];
    const bool stays = std::any_of(now.backends.begin(), now.backends.end(),
                                   [&](const Backend& backend) { return same(backend, was); });
    if (stays && !same(now.backends[slot], was)) return false;
  }
  return true;
}

// The same without slots.
ServiceTable in_order(ServiceTable table) {
  for (auto& [frontend, entry] : table.frontends)
    std::sort(entry.backends.begin(), entry.backends.end());
  return table;
}

// `before` brought up to date by nothing but the delta.
ServiceTable applied(ServiceTable before, const ServiceDelta& delta) {
  ServiceDelta noted;
  for (const FrontendChange& change : delta.frontends) {
    RC_ASSERT(change.previous != change.current);
    const auto found = before.frontends.find(change.frontend);
    RC_ASSERT(change.previous.has_value() == (found != before.frontends.end()));
    if (change.previous) RC_ASSERT(*change.previous == found->second);
    if (change.previous) uncount(before, noted, change.frontend, *change.previous);
    before.frontends.erase(change.frontend);
    if (change.current) before.frontends.emplace(change.frontend, *change.current);
    if (change.current) count(before, noted, change.frontend, *change.current);
  }
  for (const FrontendChange& change : delta.frontends)
    if (change.previous && change.current) RC_ASSERT(slots_kept(*change.previous, *change.current));
  RC_ASSERT(noted.cluster_ips == delta.cluster_ips);
  RC_ASSERT(noted.backend_counts == delta.backend_counts);
  RC_ASSERT(noted.local_backends == delta.local_backends);
  return before;
}

TEST(Property, IncrementalIsFromScratchAndTheDeltaIsExact) {
  EXPECT_TRUE(rc::check([] {
    ClusterState state;
    const std::vector<IpAddress> addresses{ip("172.31.0.11"), ip("10.96.0.2"), ip("fd00::11")};
    ServiceNode node{"node1", addresses};
    ServiceCompiler incremental(node);
    ServiceCompiler::NodeAddresses node_addresses;
    const auto expect_exact = [&](const auto& change) {
      ServiceTable before = incremental.table();
      const ServiceDelta delta = change();
      RC_ASSERT(applied(std::move(before), delta) == incremental.table());
    };
    for (int step = random<int>(1, 12); step > 0; --step) {
      for (int i = random<int>(1, 4); i > 0; --i) random_change(state);
      expect_exact([&] { return incremental.compile(state, state.take_changes().services()); });
      if (random<int>(0, 5) == 0) {
        node.name = *rc::gen::element<std::string>("node1", "node2");
        node.node_port_addresses =
            *rc::gen::container<std::vector<IpAddress>>(rc::gen::elementOf(addresses));
        expect_exact([&] { return incremental.set_node(state, node); });
      }
      if (random<int>(0, 3) == 0) {
        node_addresses.clear();
        for (const char* text : {"10.96.0.1", "10.96.0.2", "fd00:10:96::1"})
          if (random<int>(0, 2) == 0) node_addresses[ip(text)].name = "node3";
        expect_exact([&] { return incremental.set_node_addresses(state, node_addresses); });
      }
      ServiceCompiler anew(node);
      anew.set_node_addresses({}, node_addresses);
      const ServiceDelta delta = anew.compile(state, all_services(state));
      RC_ASSERT(in_order(incremental.table()) == anew.table());
      RC_ASSERT(delta == from_scratch(anew.table()));
      ServiceCompiler resumed(node);
      resumed.set_node_addresses({}, node_addresses);
      resumed.resume(incremental.table());
      resumed.compile(state, all_services(state));
      RC_ASSERT(resumed.table() == incremental.table());
      RC_ASSERT(incremental.problems() == anew.problems());
    }
  }));
}

}  // namespace
}  // namespace weft::model
