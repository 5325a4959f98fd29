// SPDX-License-Identifier: Apache-2.0
// What a Service asks for and is not served.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "model/service_compiler.h"

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

const ServicePort kHttp{"http", Protocol::kTcp, 80, 30080};

Service service_with(std::vector<ServicePort> ports) {
  Service made;
  made.name = {"default", "web"};
  made.cluster_ips = {ip("10.96.0.1")};
  made.ports = std::move(ports);
  return made;
}

class ServiceProblems : public ::testing::Test {
 protected:
  void compile(const Service& service) {
    state_.upsert(service);
    compile();
  }
  ServiceDelta compile() { return compiler_.compile(state_, state_.take_changes()); }
  ServiceDelta compile_with(const NodeAddresses& addresses) {
    compiler_.set_node_addresses(state_, addresses);
    return compile();
  }
  template <class Problems>
  static std::vector<std::string> messages(const Problems& problems) {
    std::vector<std::string> texts;
    for (const ServiceProblem& problem : problems) {
      EXPECT_EQ(problem.service.to_string(), "default/web");
      texts.push_back(problem.message);
    }
    return texts;
  }

  ClusterState state_{};
  ServiceCompiler compiler_{{"node1", {ip("172.31.0.11"), ip("fd00:172:31::11")}}};
};

TEST_F(ServiceProblems, SctpIsToldOnce) {
  const ServicePort sctp{"s", Protocol::kSctp, 9, 0};
  Service web = service_with({kHttp, sctp});
  compile(web);
  EXPECT_EQ(compiler_.table().frontends.size(), 1U);
  EXPECT_THAT(messages(compiler_.take_new_problems()),
              ElementsAre("port 9/SCTP is not served: no back end has SCTP"));
  web.cluster_ips = {ip("10.96.0.2")};
  compile(web);
  EXPECT_THAT(compiler_.take_new_problems(), IsEmpty());
  EXPECT_EQ(compiler_.problems().size(), 1U);
}

TEST_F(ServiceProblems, FieldsThatAreNotServedAreToldOnce) {
  Service web = service_with({kHttp});
  web.type = ServiceType::kLoadBalancer;
  web.session_affinity = SessionAffinity::kClientIp;
  web.internal_traffic_policy = TrafficPolicy::kLocal;
  web.external_traffic_policy = TrafficPolicy::kLocal;
  web.health_check_node_port = 30500;
  web.external_ips = {ip("192.0.2.1"), ip("2001:db8::1")};
  web.load_balancer_ips = {ip("198.51.100.1")};
  web.load_balancer_source_ranges = {"10.0.0.0/8", "192.168.0.0/16"};
  compile(web);
  EXPECT_THAT(
      messages(compiler_.take_new_problems()),
      ElementsAre(
          "spec.externalIPs: 192.0.2.1, 2001:db8::1 is not served",
          "spec.externalTrafficPolicy: Local is not served: backends on other nodes are used too, "
          "and see the node's address for the client's",
          "spec.healthCheckNodePort: 30500 is not served",
          "spec.internalTrafficPolicy: Local is not served: backends on other nodes are used too",
          "spec.loadBalancerSourceRanges: 10.0.0.0/8, 192.168.0.0/16 is not served",
          "spec.sessionAffinity: ClientIP is not served: a client's connections go to any backend",
          "status.loadBalancer.ingress: 198.51.100.1 is not served"));
  EXPECT_EQ(compiler_.table().frontends.size(), 2U);  // the rest is

  web.labels = {{"a", "b"}};
  compile(web);
  EXPECT_THAT(compiler_.take_new_problems(), IsEmpty());
  EXPECT_EQ(compiler_.problems().size(), 7U);

  web.type = ServiceType::kClusterIp;  // what is left counts for it, too
  web.external_ips.clear();
  compile(web);
  EXPECT_THAT(messages(compiler_.problems()),
              ElementsAre(HasSubstr("internalTrafficPolicy"), HasSubstr("sessionAffinity")));
  web.cluster_ips.clear();  // headless: nothing is to be served
  compile(web);
  EXPECT_THAT(compiler_.problems(), IsEmpty());
}

TEST_F(ServiceProblems, ANodesAddressIsNotServed) {
  Service web = service_with({kHttp});
  web.type = ServiceType::kNodePort;
  web.cluster_ips = {ip("172.31.0.12"), ip("10.96.0.1")};
  compile(web);
  EXPECT_EQ(compiler_.table().frontends.size(), 3U);
  EXPECT_THAT(compiler_.problems(), IsEmpty());

  const NodeAddresses nodes{{ip("172.31.0.12"), {"", "node2"}}};
  EXPECT_EQ(compile_with(nodes).frontends.size(), 1U);
  EXPECT_FALSE(compiler_.table().frontends.contains({ip("172.31.0.12"), Protocol::kTcp, 80}));
  EXPECT_TRUE(compiler_.table().frontends.contains({ip("10.96.0.1"), Protocol::kTcp, 80}));
  EXPECT_TRUE(compiler_.table().frontends.contains({ip("172.31.0.11"), Protocol::kTcp, 30080}));
  EXPECT_FALSE(compiler_.table().cluster_ips.contains(ip("172.31.0.12")));
  EXPECT_THAT(messages(compiler_.take_new_problems()),
              ElementsAre("spec.clusterIPs: 172.31.0.12 is not served: it is an InternalIP of Node "
                          "node2"));
  EXPECT_TRUE(compile_with(nodes).empty());
  EXPECT_EQ(compile_with({}).frontends.size(), 1U);
  EXPECT_THAT(compiler_.problems(), IsEmpty());
}

TEST_F(ServiceProblems, OutsideTheServiceCidrsIsServedAndTold) {
  Service web = service_with({kHttp});
  web.cluster_ips = {ip("10.97.0.1"), ip("fd00:10:96::1")};
  compile(web);
  EXPECT_THAT(compiler_.problems(), IsEmpty());
  compiler_.set_node(
      {"node1",
       {},
       {IpFamily::kIpv4, IpFamily::kIpv6},
       {Prefix::parse("10.96.0.0/16").value(), Prefix::parse("fd00:10:96::/112").value()}});
  compile();
  EXPECT_THAT(messages(compiler_.problems()),
              ElementsAre("spec.clusterIPs: 10.97.0.1 is outside serviceCIDRs of the "
                          "configuration; it is served all the same"));
  EXPECT_EQ(compiler_.table().frontends.size(), 2U);
}

}  // namespace
}  // namespace weft::model
