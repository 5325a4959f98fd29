// SPDX-License-Identifier: Apache-2.0
#include "model/cluster_state.h"

#include <optional>
#include <utility>

namespace weft::model {
namespace {

template <class T>
using ByOne = std::map<ObjectName, Shared<T>>;
template <class T>
using BeforeByOne = std::map<ObjectName, std::optional<Shared<T>>>;

// Notes that `name` was `had` and is `now` (nullptr: nothing).
template <class T>
void note(BeforeByOne<T>& before, const ObjectName& name, std::optional<Shared<T>> had,
          const Shared<T>* now) {
  const auto [at, first] = before.try_emplace(name, std::move(had));
  if (first) return;
  const bool again = now == nullptr ? !at->second : at->second == *now;
  if (again) before.erase(at);
}

template <class T>
void put(ByOne<T>& map, Shared<T> object, BeforeByOne<T>& before) {
  const auto [at, inserted] = map.try_emplace(object->name, object);
  if (!inserted && at->second == object) return;
  std::optional<Shared<T>> had;
  if (!inserted) had = std::exchange(at->second, std::move(object));
  note(before, at->first, std::move(had), &at->second);
}

template <class T>
void take_out(ByOne<T>& map, const ObjectName& name, BeforeByOne<T>& before) {
  auto node = map.extract(name);
  if (!node.empty()) note<T>(before, name, std::move(node.mapped()), nullptr);
}

// Off with what has become empty.
template <class Map>
void prune(Map& map, const ObjectName& name) {
  if (const auto found = map.find(name); found != map.end() && found->second.empty())
    map.erase(found);
}

}  // namespace

std::set<ObjectName> ClusterChanges::services() const {
  std::set<ObjectName> names;
  for (const auto& [name, before] : of<Service>()) names.insert(names.end(), name);
  for (const auto& [service, slices] : of<EndpointSlice>())
    if (!service.name.empty()) names.insert(service);
  return names;
}

bool ClusterChanges::empty() const {
  return std::apply([](const auto&... before) { return (before.empty() && ...); }, before_);
}

void ClusterState::upsert(Object object) {
  std::visit([this](auto& known) { store(std::move(known)); }, object);
}

template <class T>
void ClusterState::store(Shared<T> object) {
  put(std::get<All<T>>(all_), std::move(object), changes_.of<T>());
}

template <class T>
void ClusterState::erase(const ObjectName& name) {
  take_out(std::get<All<T>>(all_), name, changes_.of<T>());
}

template <>
void ClusterState::erase<EndpointSlice>(const ObjectName& name) {
  const auto found = slice_service_.find(name);
  if (found == slice_service_.end()) return;
  const ObjectName service = std::move(found->second);
  slice_service_.erase(found);
  auto& slices = std::get<All<EndpointSlice>>(all_);
  auto& changed = changes_.of<EndpointSlice>();
  take_out(slices[service], name, changed[service]);
  prune(slices, service);
  prune(changed, service);
}

void ClusterState::store(Shared<EndpointSlice> object) {
  const ObjectName service{object->name.name_space, object->service_name};
  // A slice may change to another Service, or to none, when its label does.
  if (const auto had = slice_service_.find(object->name);
      had != slice_service_.end() && had->second != service)
    erase<EndpointSlice>(object->name);
  slice_service_[object->name] = service;
  auto& changed = changes_.of<EndpointSlice>();
  put(std::get<All<EndpointSlice>>(all_)[service], std::move(object), changed[service]);
  prune(changed, service);
}

void ClusterState::remove(const ObjectKey& key) {
  const auto erase_one = [&]<class... Ts>(const std::variant<Shared<Ts>...>*) {
    (void)((key.kind == kKindOf<Ts> && (erase<Ts>(key.name), true)) || ...);
  };
  erase_one(static_cast<const Object*>(nullptr));
}

template <class T>
const std::map<ObjectName, Shared<T>>& ClusterState::beside(const ObjectName&) const {
  return all<T>();
}

template <>
const std::map<ObjectName, Shared<EndpointSlice>>& ClusterState::beside<EndpointSlice>(
    const ObjectName& name) const {
  const auto service = slice_service_.find(name);
  return endpoint_slices(service == slice_service_.end() ? ObjectName{} : service->second);
}

std::optional<Object> ClusterState::find(const ObjectKey& key) const {
  std::optional<Object> found;
  const auto look_for = [&]<class T>(const T*) {
    if (key.kind != kKindOf<T>) return;
    const auto& all = beside<T>(key.name);
    if (const auto at = all.find(key.name); at != all.end()) found = at->second;
  };
  const auto look_in_each = [&]<class... Ts>(const std::variant<Shared<Ts>...>*) {
    (look_for(static_cast<const Ts*>(nullptr)), ...);
  };
  look_in_each(static_cast<const Object*>(nullptr));
  return found;
}

ClusterChanges ClusterState::take_changes() { return std::exchange(changes_, {}); }

const std::map<ObjectName, Shared<EndpointSlice>>& ClusterState::endpoint_slices(
    const ObjectName& service) const {
  static const std::map<ObjectName, Shared<EndpointSlice>> none;
  const auto& slices = all<EndpointSlice>();
  const auto found = slices.find(service);
  return found == slices.end() ? none : found->second;
}

}  // namespace weft::model
