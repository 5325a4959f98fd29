// SPDX-License-Identifier: Apache-2.0
#include "model/cluster_state.h"

#include <utility>

namespace weft::model {
namespace {

// Puts `object` into `map`; whether that changed anything.
template <class T>
bool put(std::map<ObjectName, T>& map, T object) {
  const auto [at, inserted] = map.try_emplace(object.name);
  if (!inserted && at->second == object) return false;
  at->second = std::move(object);
  return true;
}

}  // namespace

ObjectKey key_of(const Object& object) {
  return {static_cast<ObjectKind>(object.index()),
          std::visit([](const auto& known) { return known.name; }, object)};
}

std::string_view to_string(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kNamespace:
      return "Namespace";
    case ObjectKind::kNode:
      return "Node";
    case ObjectKind::kPod:
      return "Pod";
    case ObjectKind::kService:
      return "Service";
    case ObjectKind::kEndpointSlice:
      return "EndpointSlice";
  }
  return "?";
}

std::string ObjectKey::to_string() const {
  return std::string(model::to_string(kind)) + " " + name.to_string();
}

void ClusterState::upsert(Object object) {
  std::visit([this](auto& known) { store(std::move(known)); }, object);
}

void ClusterState::store(Namespace object) {
  const ObjectName name = object.name;
  if (put(namespaces_, std::move(object))) changes_.namespaces.insert(name);
}

void ClusterState::store(Node object) {
  const ObjectName name = object.name;
  if (put(nodes_, std::move(object))) changes_.nodes.insert(name);
}

void ClusterState::store(Pod object) {
  const ObjectName name = object.name;
  if (put(pods_, std::move(object))) changes_.pods.insert(name);
}

void ClusterState::store(Service object) {
  const ObjectName name = object.name;
  if (put(services_, std::move(object))) changes_.services.insert(name);
}

void ClusterState::store(EndpointSlice object) {
  const ObjectName service{object.name.name_space, object.service_name};
  // A slice may change to another Service, or to none, when its label does.
  if (const auto had = slice_service_.find(object.name);
      had != slice_service_.end() && had->second != service)
    remove_slice(object.name);
  if (object.service_name.empty()) return;
  slice_service_[object.name] = service;
  if (put(slices_[service], std::move(object))) changes_.services.insert(service);
}

void ClusterState::remove(const ObjectKey& key) {
  switch (key.kind) {
    case ObjectKind::kNamespace:
      if (namespaces_.erase(key.name) > 0) changes_.namespaces.insert(key.name);
      break;
    case ObjectKind::kNode:
      if (nodes_.erase(key.name) > 0) changes_.nodes.insert(key.name);
      break;
    case ObjectKind::kPod:
      if (pods_.erase(key.name) > 0) changes_.pods.insert(key.name);
      break;
    case ObjectKind::kService:
      if (services_.erase(key.name) > 0) changes_.services.insert(key.name);
      break;
    case ObjectKind::kEndpointSlice:
      remove_slice(key.name);
      break;
  }
}

void ClusterState::remove_slice(const ObjectName& name) {
  const auto found = slice_service_.find(name);
  if (found == slice_service_.end()) return;
  const auto slices = slices_.find(found->second);
  slices->second.erase(name);
  if (slices->second.empty()) slices_.erase(slices);
  changes_.services.insert(found->second);
  slice_service_.erase(found);
}

ClusterChanges ClusterState::take_changes() { return std::exchange(changes_, {}); }

const std::map<ObjectName, EndpointSlice>& ClusterState::endpoint_slices(
    const ObjectName& service) const {
  static const std::map<ObjectName, EndpointSlice> none;
  const auto found = slices_.find(service);
  return found == slices_.end() ? none : found->second;
}

}  // namespace weft::model
