// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>

namespace weft::cluster {
namespace {

using model::EndpointSlice;
using model::Node;
using model::Pod;
using model::Protocol;
using model::Service;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

Manifest decode(std::string_view text) {
  auto manifest = decode_manifest(text, "web.yaml");
  EXPECT_TRUE(manifest) << manifest.error().message;
  return manifest.value_or(Manifest{});
}

template <class Kind>
Kind only(std::string_view text) {
  const Manifest manifest = decode(text);
  EXPECT_EQ(manifest.objects.size(), 1U);
  if (manifest.objects.empty()) return {};
  const auto* object = std::get_if<model::Shared<Kind>>(&manifest.objects[0]);
  EXPECT_NE(object, nullptr);
  return object == nullptr ? Kind{} : **object;
}

std::string error_of(std::string_view text) {
  const auto manifest = decode_manifest(text, "web.yaml");
  EXPECT_FALSE(manifest);
  return manifest ? "" : manifest.error().message;
}

TEST(Decode, Service) {
  const auto service = only<Service>(R"(
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {app: web}
spec:
  type: NodePort
  clusterIP: 10.96.0.10
  clusterIPs: [10.96.0.10, "fd00:10:96::a"]
  unknownField: {deep: [1, 2]}
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: http, nodePort: 30080}
  - {name: dns, protocol: UDP, port: 53}
  - {name: assoc, protocol: SCTP, port: 9}
)");
  EXPECT_EQ(service.name.to_string(), "default/web");
  EXPECT_EQ(service.type, model::ServiceType::kNodePort);
  EXPECT_THAT(service.cluster_ips, ElementsAre(ip("10.96.0.10"), ip("fd00:10:96::a")));
  EXPECT_EQ(service.labels.at("app"), "web");
  EXPECT_EQ(service.selector.at("app"), "web");
  EXPECT_THAT(service.ports, ElementsAre(model::ServicePort{"http", Protocol::kTcp, 80, 30080},
                                         model::ServicePort{"dns", Protocol::kUdp, 53, 0},
                                         model::ServicePort{"assoc", Protocol::kSctp, 9, 0}));
}

TEST(Decode, HeadlessServiceHasNoClusterIp) {
  EXPECT_THAT(only<Service>("{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":"
                            "\"db\",\"namespace\":\"shop\"},\"spec\":{\"clusterIP\":\"None\","
                            "\"clusterIPs\":[\"None\"],\"ports\":null}}")
                  .cluster_ips,
              IsEmpty());
}

TEST(Decode, WhatAServiceAsksForBeyondItsPorts) {
  const auto service = only<Service>(R"(
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  sessionAffinity: ClientIP
  internalTrafficPolicy: Local
  externalTrafficPolicy: Local
  healthCheckNodePort: 30500
  externalIPs: [192.0.2.1, "2001:db8::1"]
  loadBalancerSourceRanges: [10.1.2.3/8]
status:
  loadBalancer:
    ingress: [{ip: 198.51.100.1}, {hostname: lb.example}, {ip: 198.51.100.2, ipMode: Proxy},
              {ip: "2001:db8::2", ipMode: VIP}]
)");
  EXPECT_EQ(service.session_affinity, model::SessionAffinity::kClientIp);
  EXPECT_EQ(service.internal_traffic_policy, model::TrafficPolicy::kLocal);
  EXPECT_EQ(service.external_traffic_policy, model::TrafficPolicy::kLocal);
  EXPECT_EQ(service.health_check_node_port, 30500);
  EXPECT_THAT(service.external_ips, ElementsAre(ip("192.0.2.1"), ip("2001:db8::1")));
  EXPECT_THAT(service.load_balancer_ips, ElementsAre(ip("198.51.100.1"), ip("2001:db8::2")));
  EXPECT_THAT(service.load_balancer_source_ranges, ElementsAre("10.1.2.3/8"));

  Service plain;
  plain.name = {"default", "web"};
  EXPECT_EQ(only<Service>("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {"
                          "sessionAffinity: None, internalTrafficPolicy: Cluster,"
                          " externalTrafficPolicy: Cluster, healthCheckNodePort: 0},"
                          " status: {loadBalancer: {}}}"),
            plain);
}

TEST(Decode, EndpointSlice) {
  const auto slice = only<EndpointSlice>(R"(
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv6
endpoints:
- {addresses: ["fd00::1", "fd00::5"], nodeName: node1}
- {addresses: [], nodeName: node1}
- {addresses: ["fd00::2"], conditions: {ready: false}}
- {addresses: ["fd00::3"], conditions: {ready: false, serving: true, terminating: true}}
- {addresses: ["fd00::4"], conditions: {ready: null}}
ports:
- {name: http, port: 8080}
- {name: dns, port: 5353, protocol: UDP}
- {name: all, port: null}
)");
  EXPECT_EQ(slice.service_name, "web");
  EXPECT_EQ(slice.family, IpFamily::kIpv6);
  ASSERT_EQ(slice.endpoints.size(), 4U);
  EXPECT_EQ(slice.endpoints[0], (model::Endpoint{{ip("fd00::1")}, true, true, false, "node1"}));
  EXPECT_EQ(slice.endpoints[1], (model::Endpoint{{ip("fd00::2")}, false, false, false, ""}));
  EXPECT_EQ(slice.endpoints[2], (model::Endpoint{{ip("fd00::3")}, false, true, true, ""}));
  EXPECT_EQ(slice.endpoints[3], (model::Endpoint{{ip("fd00::4")}, true, true, false, ""}));
  EXPECT_THAT(slice.ports, ElementsAre(model::EndpointPort{"http", Protocol::kTcp, 8080},
                                       model::EndpointPort{"dns", Protocol::kUdp, 5353}));
}

TEST(Decode, NodePodAndNamespace) {
  const auto node = only<Node>(R"(
apiVersion: v1
kind: Node
metadata: {name: node1, labels: {zone: a}}
spec: {podCIDR: 10.244.1.0/24, podCIDRs: [10.244.1.0/24, "fd00:10:244:1::/64"]}
status:
  addresses:
  - {type: Hostname, address: node1}
  - {type: InternalIP, address: 172.31.0.11}
)");
  EXPECT_EQ(node.name, (model::ObjectName{"", "node1"}));
  EXPECT_THAT(node.internal_ips, ElementsAre(ip("172.31.0.11")));
  ASSERT_EQ(node.pod_cidrs.size(), 2U);
  EXPECT_EQ(node.pod_cidrs[1].to_string(), "fd00:10:244:1::/64");

  const auto pod = only<Pod>(R"(
apiVersion: v1
kind: Pod
metadata: {name: web-0}
spec: {nodeName: node1, hostNetwork: true}
status:
  podIPs: [{ip: 10.244.1.5}, {ip: "fd00:10:244:1::5"}]
  conditions: [{type: Initialized, status: "True"}, {type: Ready, status: "True"}]
)");
  EXPECT_EQ(pod.node_name, "node1");
  EXPECT_TRUE(pod.host_network);
  EXPECT_TRUE(pod.ready);
  EXPECT_THAT(pod.ips, ElementsAre(ip("10.244.1.5"), ip("fd00:10:244:1::5")));

  EXPECT_EQ(only<model::Namespace>("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n"
                                   "# flow style in JSON's place\n"
                                   "...\n"
                                   "---\n")
                .name,
            (model::ObjectName{"", "shop"}));
}

TEST(Decode, ListsArraysAndUnknownKinds) {
  const std::string service =
      R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{}})";
  const std::string deployment =
      R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":7})";
  const Manifest list = decode(R"({"apiVersion":"v1","items":[)" + service + "," + deployment +
                               R"(],"kind":"List"})");
  EXPECT_EQ(list.objects.size(), 1U);
  EXPECT_THAT(list.unknown_kinds, ElementsAre("apps/v1 Deployment"));
  EXPECT_EQ(decode("[" + service + "," + service + "]").objects.size(), 2U);
  EXPECT_THAT(decode(R"({"apiVersion":"serving.knative.dev/v1","kind":"Service",)"
                     R"("metadata":{"name":"web"}})")
                  .unknown_kinds,
              ElementsAre("serving.knative.dev/v1 Service"));
}

TEST(Decode, ItemsOfAnApiListNeedNoKind) {
  EXPECT_EQ(only<Pod>(R"({"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]})")
                .name.name,
            "a");
  EXPECT_EQ(error_of("{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[\n"
                     "{\"metadata\":{\"name\":\"a\"}, \"spec\": {\n\"hostNetwork\": 1}}]}"),
            "web.yaml:3: Pod a: spec.hostNetwork: must be true or false, not 1");
}

TEST(Decode, ErrorsNameFileLineObjectFieldAndValue) {
  const auto service = [](const std::string& spec) {
    return "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec:\n" + spec;
  };
  EXPECT_EQ(error_of(service("  ports:\n  - {port: 80}\n  - port: eighty\n")),
            "web.yaml:7: Service shop/web: spec.ports[1].port: must be a number from 1 to 65535, "
            "not \"eighty\"");
  EXPECT_EQ(error_of(service("  ports:\n  - port: 65536\n")),
            "web.yaml:6: Service shop/web: spec.ports[0].port: must be a number from 1 to 65535, "
            "not 65536");
  EXPECT_EQ(error_of(service("  ports:\n  - name: x\n")),
            "web.yaml:6: Service shop/web: spec.ports[0].port: is missing");
  EXPECT_EQ(error_of(service("  ports: 80\n")),
            "web.yaml:5: Service shop/web: spec.ports: must be a list, not 80");
  EXPECT_EQ(error_of(service("  type: Clusterip\n")),
            "web.yaml:5: Service shop/web: spec.type: must be ClusterIP, NodePort, LoadBalancer or "
            "ExternalName, not \"Clusterip\"");
  EXPECT_EQ(error_of(service("  sessionAffinity: clientIP\n")),
            "web.yaml:5: Service shop/web: spec.sessionAffinity: must be None or ClientIP, not "
            "\"clientIP\"");
  EXPECT_EQ(error_of(service("  externalTrafficPolicy: local\n")),
            "web.yaml:5: Service shop/web: spec.externalTrafficPolicy: must be Cluster or Local, "
            "not \"local\"");
  EXPECT_EQ(error_of(service("  externalIPs: [web]\n")),
            "web.yaml:5: Service shop/web: spec.externalIPs[0]: must be an IP address, not "
            "\"web\"");
  EXPECT_EQ(error_of(service("  clusterIP: 10.96.0\n")),
            "web.yaml:5: Service shop/web: spec.clusterIP: must be an IP address, not \"10.96.0\"");
  EXPECT_EQ(error_of(service("  ports:\n  - {port: 80, protocol: tcp}\n")),
            "web.yaml:6: Service shop/web: spec.ports[0].protocol: must be TCP, UDP or SCTP, not "
            "\"tcp\"");
  EXPECT_EQ(error_of("apiVersion: v1\nkind: Node\nmetadata: {name: n}\n"
                     "spec:\n  podCIDRs: [10.244.1.7/24]\n"),
            "web.yaml:5: Node n: spec.podCIDRs[0]: must be a network such as 10.244.1.0/24, not "
            "\"10.244.1.7/24\"");
  EXPECT_EQ(error_of("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    a/b: 1\n"),
            "web.yaml:6: Pod a: metadata.labels.a/b: must be a string, not 1");
  EXPECT_EQ(error_of("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}\n"
                     "addressType: IPv4\nendpoints:\n- addresses: ['fd00::1']\n"),
            "web.yaml:6: EndpointSlice s: endpoints[0].addresses[0]: must be IPv4, as addressType "
            "says, not \"fd00::1\"");
  EXPECT_EQ(error_of("[{\"kind\": \"Pod\"}]"), "web.yaml:1: Pod: apiVersion: is missing");
  EXPECT_EQ(error_of("[7]"), "web.yaml:1: is no object: 7");
  EXPECT_EQ(error_of("{\"kind\": \"Pod\",\n\"x\"}").substr(0, 20), "web.yaml:2: column 4");
}

TEST(Decode, ServicesAndEndpointsHaveAddressesThatPacketsCanGoTo) {
  for (const std::string address : {"0.0.0.0", "127.0.0.1", "169.254.1.1", "224.0.0.1", "239.1.2.3",
                                    "::", "::1", "fe80::1", "ff02::1"}) {
    const std::string why =
        ": must be unicast, and neither unspecified, loopback nor link-local, not \"" + address +
        "\"";
    for (const char* field : {"clusterIPs", "externalIPs"})
      EXPECT_EQ(error_of("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {" +
                         std::string(field) + ": [10.96.0.1, \"" + address + "\"]}}"),
                "web.yaml:1: Service web: spec." + std::string(field) + "[1]" + why);
    EXPECT_EQ(
        error_of("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: \"" +
                 address + "\"}}"),
        "web.yaml:1: Service web: spec.clusterIP" + why);
    const char* family = address.find(':') == std::string::npos ? "IPv4" : "IPv6";
    EXPECT_EQ(error_of("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s},"
                       " addressType: " +
                       std::string(family) + ", endpoints: [{addresses: [\"" + address + "\"]}]}"),
              "web.yaml:1: EndpointSlice s: endpoints[0].addresses[0]" + why);
  }
}

TEST(Decode, NoTwoPortsOfAServiceAreAlike) {
  const auto service = [](const std::string& ports) {
    return "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [" + ports + "]}}";
  };
  const std::string where = "web.yaml:1: Service web: spec.ports[1].";
  EXPECT_EQ(error_of(service("{name: a, port: 22}, {name: b, port: 22, protocol: TCP}")),
            where + "port: must be no other port's of the same protocol, not 22");
  EXPECT_EQ(error_of(service("{name: a, port: 22}, {name: a, port: 53, protocol: UDP}")),
            where + "name: must be no other port's, not \"a\"");
  EXPECT_EQ(error_of(service("{port: 53}, {port: 53, protocol: UDP}")),
            where + "name: is missing, as another port's is");
  EXPECT_EQ(error_of(service("{name: a, port: 1, nodePort: 30080}, {name: b, port: 2, nodePort: "
                             "30080}")),
            where + "nodePort: must be no other port's of the same protocol, not 30080");
  EXPECT_EQ(only<Service>(service("{name: a, port: 53, nodePort: 30053}, {name: b, port: 53, "
                                  "nodePort: 30053, protocol: UDP}, {name: c, port: 54}, {name: d, "
                                  "port: 55}"))
                .ports.size(),
            4U);
}

TEST(Decode, ErrorsInAListNameTheirObject) {
  const std::string pod = R"({"metadata":{"name":"a"}})";
  const std::string bad = "{\"metadata\":{\"name\":\"b\"},\n\"spec\":{\"hostNetwork\":\n1}}";
  const std::string pods =
      R"({"kind":"PodList","apiVersion":"v1","items":[)" + pod + ",\n" + bad + "]}";
  EXPECT_EQ(error_of("[" + pods + "]"),
            "web.yaml:4: Pod b: spec.hostNetwork: must be true or false, not 1");
  EXPECT_EQ(error_of("{\"kind\":\"List\",\n\"items\":[[],[{}," + pods + "]]}"),
            "web.yaml:2: kind: is missing");
  EXPECT_EQ(error_of("{\"kind\":\"List\",\n\"items\":[[],[\n" + pods + "]]}"),
            "web.yaml:6: Pod b: spec.hostNetwork: must be true or false, not 1");
  EXPECT_EQ(error_of("[{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{}}]"),
            "web.yaml:1: Pod: metadata.name: is missing");
  EXPECT_EQ(error_of("[\n\"a\"]"), "web.yaml:2: is no object: \"a\"");
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string repeated;
  for (std::size_t i = 0; i < times; ++i) repeated += text;
  return repeated;
}

TEST(Decode, DepthHasALimit) {
  const std::string error = "web.yaml:1: is nested too deeply (more than 100 levels)";
  const std::string head = R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"})";
  EXPECT_EQ(decode(repeat("[", 98) + head + "}" + repeat("]", 98)).objects.size(), 1U);
  EXPECT_EQ(decode(head + R"(,"x":)" + repeat("[", 99) + repeat("]", 99) + "}").objects.size(), 1U);
  EXPECT_EQ(
      decode("# YAML\n" + head + ", x: " + repeat("[", 99) + repeat("]", 99) + "}").objects.size(),
      1U);
  for (const std::size_t depth : {102U, 1'100U, 5'000U, 20'000U, 200'000U}) {
    const std::string list = R"({"kind":"List","items":[)";
    EXPECT_EQ(error_of(repeat("[", depth) + repeat("]", depth)), error);
    EXPECT_EQ(error_of(repeat("[", depth) + "{}" + repeat("]", depth)), error);
    EXPECT_EQ(error_of(repeat("[", depth)), error);
    EXPECT_EQ(error_of(repeat(list, depth) + repeat("]}", depth)), error);
    EXPECT_EQ(error_of("a: " + repeat("[", depth) + repeat("]", depth)), error);
    EXPECT_EQ(error_of(repeat("- ", depth) + "a"), error);
  }
}

// CPU time, which other processes do not lengthen.
double seconds(const std::string& text) {
  const std::clock_t begin = std::clock();
  decode_manifest(text, "web.yaml");
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

TEST(Decode, TimeGrowsWithTheTextAndNotWithItsSquare) {
  const auto yaml = [](std::size_t documents) {
    return repeat("---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n", documents);
  };
  const auto json = [](std::size_t objects) {  // whose last is wrong
    return "[" + repeat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}},)", objects) +
           "{}]";
  };
  const auto wide = [](std::size_t items) {
    return R"([{"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + std::string(900, 'n') +
           R"("},"spec":{"hostNetwork":[0)" + repeat(",0", items) + "]}}]";
  };
  EXPECT_LT(seconds(yaml(20'000)), 12 * seconds(yaml(4'000)) + 0.1);
  EXPECT_LT(seconds(json(50'000)), 12 * seconds(json(10'000)) + 0.1);
  EXPECT_LT(seconds(wide(500'000)), 12 * seconds(wide(100'000)) + 0.1);
}

TEST(Decode, ALongValueIsCut) {
  const std::string error =
      error_of("apiVersion: v1\nkind: Pod\nmetadata: {name: " + std::string(300, 'x') +
               "}\nspec: {hostNetwork: \"" + std::string(300, 'y') + "\"}\n");
  EXPECT_LT(error.size(), 500U);
}

}  // namespace
}  // namespace weft::cluster
