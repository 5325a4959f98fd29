// SPDX-License-Identifier: Apache-2.0
//
// ClusterChanges: what changed in a ClusterState since they were last taken, and what each of it
// was before; what it is now is in the state. So that who reads a part of an object (of a Node its
// addresses, not its labels) can tell that this part did not change, and do nothing.
//
//   for (const auto& [name, before] : changes.of<Node>()) …  // before: nothing where it is new
//   for (const auto& [service, slices] : changes.of<EndpointSlice>())
//     for (const auto& [slice, before] : slices) …
//
// What is again as it was is no change. A slice that went from one Service to another is a change
// of both: gone from the one, new in the other.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <variant>

#include "model/object_key.h"

namespace weft::model {

// How the objects of a kind are ordered: by name, but EndpointSlices by their Service and name (one
// without a Service, by one of no name).
template <class T, class Value>
struct ByName {
  using Map = std::map<ObjectName, Value>;
};
template <class Value>
struct ByName<EndpointSlice, Value> {
  using Map = std::map<ObjectName, std::map<ObjectName, Value>>;
};

class ClusterChanges {
 public:
  // What the changed objects of this kind were.
  template <class T>
  using Before = typename ByName<T, std::optional<Shared<T>>>::Map;

  template <class T>
  const Before<T>& of() const {
    return std::get<Before<T>>(before_);
  }
  template <class T>
  Before<T>& of() {
    return std::get<Before<T>>(before_);
  }

  // The Services that changed, or whose EndpointSlices did.
  std::set<ObjectName> services() const;
  bool empty() const;

 private:
  template <class Variant>
  struct EachOf;
  template <class... Ts>
  struct EachOf<std::variant<Shared<Ts>...>> {
    using Type = std::tuple<Before<Ts>...>;
  };
  typename EachOf<Object>::Type before_{};
};

}  // namespace weft::model
