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

TEST(ClusterState, TellsWhatChangedOnce) {
  ClusterState state;
  EXPECT_FALSE(state.has_changes());
  state.upsert(Node{{"", "node1"}, {}, {}, {}});
  state.upsert(Pod{{"default", "a"}, {}, "", {}, false, false});
  state.upsert(Namespace{{"", "default"}, {}});
  state.upsert(Service{kWeb, {}, ServiceType::kClusterIp, {}, {}, {}});
  const ClusterChanges changes = state.take_changes();
  EXPECT_EQ(changes.nodes, std::set<ObjectName>({{"", "node1"}}));
  EXPECT_EQ(changes.pods, std::set<ObjectName>({{"default", "a"}}));
  EXPECT_EQ(changes.namespaces, std::set<ObjectName>({{"", "default"}}));
  EXPECT_EQ(changes.services, std::set<ObjectName>({kWeb}));
  EXPECT_FALSE(state.has_changes());
}

TEST(ClusterState, AnEqualObjectOrAnUnknownRemovalChangesNothing) {
  ClusterState state;
  state.upsert(Service{kWeb, {}, ServiceType::kClusterIp, {}, {}, {}});
  state.upsert(slice("web-1", "web"));
  state.take_changes();
  state.upsert(Service{kWeb, {}, ServiceType::kClusterIp, {}, {}, {}});
  state.upsert(slice("web-1", "web"));
  state.remove({ObjectKind::kEndpointSlice, kDb});
  state.remove({ObjectKind::kService, kDb});
  EXPECT_FALSE(state.has_changes());
}

TEST(ClusterState, ASliceChangesItsService) {
  ClusterState state;
  state.upsert(slice("s", "web"));
  EXPECT_EQ(state.take_changes().services, std::set<ObjectName>({kWeb}));
  EXPECT_EQ(state.endpoint_slices(kWeb).size(), 1U);

  state.upsert(slice("s", "db"));  // relabelled
  EXPECT_EQ(state.take_changes().services, std::set<ObjectName>({kDb, kWeb}));
  EXPECT_TRUE(state.endpoint_slices(kWeb).empty());
  EXPECT_EQ(state.endpoint_slices(kDb).size(), 1U);

  state.upsert(slice("s", ""));  // nobody's
  EXPECT_EQ(state.take_changes().services, std::set<ObjectName>({kDb}));
  EXPECT_TRUE(state.endpoint_slices(kDb).empty());

  state.upsert(slice("s", "db"));
  state.take_changes();
  state.remove({ObjectKind::kEndpointSlice, {"default", "s"}});
  EXPECT_EQ(state.take_changes().services, std::set<ObjectName>({kDb}));
  EXPECT_TRUE(state.endpoint_slices(kDb).empty());
}

TEST(ClusterState, KeysNameTheKind) {
  EXPECT_EQ(key_of(Object(slice("s", "web"))).to_string(), "EndpointSlice default/s");
  EXPECT_EQ(key_of(Object(Node{{"", "node1"}, {}, {}, {}})).to_string(), "Node node1");
  EXPECT_EQ(key_of(Object(Pod{kWeb, {}, "", {}, false, false})).kind, ObjectKind::kPod);
  EXPECT_EQ(key_of(Object(Namespace{kWeb, {}})).kind, ObjectKind::kNamespace);
  EXPECT_EQ(key_of(Object(Service{kWeb, {}, {}, {}, {}, {}})).kind, ObjectKind::kService);
}

}  // namespace
}  // namespace weft::model
