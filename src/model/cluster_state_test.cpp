// SPDX-License-Identifier: Apache-2.0
#include "model/cluster_state.h"

#include <gtest/gtest.h>

namespace weft::model {
namespace {

EndpointSlice slice(const std::string& name, const std::string& service) {
  EndpointSlice made;
  made.name = {"default", name};
  made.service_name = service;
  return made;
}

const ObjectName kWeb{"default", "web"};
const ObjectName kDb{"default", "db"};

Node node(const std::string& name, Labels labels, const char* address) {
  return {{"", name}, std::move(labels), {*IpAddress::parse(address)}, {}};
}

Service web_of_type(ServiceType type) { return {kWeb, {}, type, {}, {}, {}}; }

TEST(ClusterState, TellsWhatChangedOnce) {
  ClusterState state;
  EXPECT_TRUE(state.take_changes().empty());
  state.upsert(Node{{"", "node1"}, {}, {}, {}});
  state.upsert(Pod{{"default", "a"}, {}, "", {}, false, false});
  state.upsert(Namespace{{"", "default"}, {}});
  state.upsert(web_of_type(ServiceType::kClusterIp));
  const ClusterChanges changes = state.take_changes();
  EXPECT_FALSE(changes.empty());
  EXPECT_EQ(changes.of<Node>().count({"", "node1"}), 1U);
  EXPECT_EQ(changes.of<Pod>().count({"default", "a"}), 1U);
  EXPECT_EQ(changes.of<Namespace>().count({"", "default"}), 1U);
  EXPECT_EQ(changes.of<Service>().count(kWeb), 1U);
  EXPECT_EQ(changes.services(), std::set<ObjectName>({kWeb}));
  EXPECT_TRUE(state.take_changes().empty());
}

// So that who reads a Node's addresses can do nothing when its labels change.
TEST(ClusterState, TellsWhatItWasBefore) {
  ClusterState state;
  state.upsert(node("node1", {}, "10.0.0.1"));
  state.upsert(node("node2", {}, "10.0.0.2"));
  const ClusterChanges added = state.take_changes();
  EXPECT_EQ(added.of<Node>().at({"", "node1"}), std::nullopt);

  state.upsert(node("node1", {{"a", "1"}}, "10.0.0.1"));
  state.upsert(node("node1", {{"a", "2"}}, "10.0.0.1"));  // the first of them counts
  state.remove(key<Node>({"", "node2"}));
  const ClusterChanges changed = state.take_changes();
  EXPECT_EQ(changed.of<Node>().at({"", "node1"}), node("node1", {}, "10.0.0.1"));
  EXPECT_EQ(changed.of<Node>().at({"", "node2"}), node("node2", {}, "10.0.0.2"));
  EXPECT_EQ(state.nodes().at({"", "node1"})->labels, Labels({{"a", "2"}}));
}

TEST(ClusterState, WhatIsAgainAsItWasIsNoChange) {
  ClusterState state;
  state.upsert(web_of_type(ServiceType::kNodePort));
  state.upsert(slice("web-1", "web"));
  state.take_changes();
  state.upsert(web_of_type(ServiceType::kClusterIp));
  state.upsert(web_of_type(ServiceType::kNodePort));
  state.remove(key<EndpointSlice>({"default", "web-1"}));
  state.upsert(slice("web-1", "web"));
  state.upsert(node("node1", {}, "10.0.0.1"));
  state.remove(key<Node>({"", "node1"}));
  EXPECT_TRUE(state.take_changes().empty());
}

TEST(ClusterState, AnEqualObjectOrAnUnknownRemovalChangesNothing) {
  ClusterState state;
  state.upsert(web_of_type(ServiceType::kClusterIp));
  state.upsert(slice("web-1", "web"));
  state.take_changes();
  state.upsert(web_of_type(ServiceType::kClusterIp));
  state.upsert(slice("web-1", "web"));
  state.remove(key<EndpointSlice>(kDb));
  state.remove(key<Service>(kDb));
  EXPECT_TRUE(state.take_changes().empty());
}

TEST(ClusterState, ASliceChangesItsService) {
  ClusterState state;
  state.upsert(slice("s", "web"));
  EXPECT_EQ(state.take_changes().services(), std::set<ObjectName>({kWeb}));
  EXPECT_EQ(state.endpoint_slices(kWeb).size(), 1U);

  state.upsert(slice("s", "db"));  // relabelled
  const ClusterChanges relabelled = state.take_changes();
  EXPECT_EQ(relabelled.services(), std::set<ObjectName>({kDb, kWeb}));
  EXPECT_EQ(relabelled.of<EndpointSlice>().at(kWeb).at({"default", "s"}), slice("s", "web"));
  EXPECT_EQ(relabelled.of<EndpointSlice>().at(kDb).at({"default", "s"}), std::nullopt);
  EXPECT_TRUE(state.endpoint_slices(kWeb).empty());
  EXPECT_EQ(state.endpoint_slices(kDb).size(), 1U);

  state.upsert(slice("s", ""));  // nobody's
  EXPECT_EQ(state.take_changes().services(), std::set<ObjectName>({kDb}));
  EXPECT_TRUE(state.endpoint_slices(kDb).empty());

  state.upsert(slice("s", "db"));
  state.take_changes();
  state.remove(key<EndpointSlice>({"default", "s"}));
  EXPECT_EQ(state.take_changes().services(), std::set<ObjectName>({kDb}));
  EXPECT_TRUE(state.endpoint_slices(kDb).empty());
}

TEST(ClusterState, KeysNameTheKind) {
  EXPECT_EQ(key_of(Object(slice("s", "web"))).to_string(), "EndpointSlice default/s");
  EXPECT_EQ(key_of(Object(Node{{"", "node1"}, {}, {}, {}})).to_string(), "Node node1");
  EXPECT_EQ(key_of(Object(Pod{kWeb, {}, "", {}, false, false})), key<Pod>(kWeb));
  EXPECT_EQ(key_of(Object(Namespace{kWeb, {}})), key<Namespace>(kWeb));
  EXPECT_EQ(key_of(Object(Service{kWeb, {}, {}, {}, {}, {}})), key<Service>(kWeb));
}

}  // namespace
}  // namespace weft::model
