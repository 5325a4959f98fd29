// SPDX-License-Identifier: Apache-2.0
//
// ClusterState: the only mutable store of what the sources said, by kind and name. A source calls a
// SourceSink: what one source would call is this itself, and of several cluster::Sources makes one.
// Nothing is written to the kernel before it is synced, which it is when every source is. It
// collects what changed, and what that was, until take_changes() is called, so that a burst of
// events is one pass; an equal object is no change.
//
// One thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <variant>

#include "model/cluster_changes.h"
#include "model/object_key.h"

namespace weft::model {

// What a source calls, on the loop's thread.
class SourceSink {
 public:
  virtual ~SourceSink() = default;
  virtual void upsert(Object object) = 0;
  virtual void remove(const ObjectKey& key) = 0;
  virtual void synced() = 0;
};

class ClusterState final : public SourceSink {
 public:
  template <class T>
  using All = typename ByName<T, Shared<T>>::Map;

  void upsert(Object object) override;
  void remove(const ObjectKey& key) override;
  void synced() override { synced_ = true; }
  bool is_synced() const { return synced_; }

  // What changed since the last call.
  ClusterChanges take_changes();

  template <class T>
  const All<T>& all() const {
    return std::get<All<T>>(all_);
  }
  std::optional<Object> find(const ObjectKey& key) const;

  const All<Node>& nodes() const { return all<Node>(); }
  const All<Pod>& pods() const { return all<Pod>(); }
  const All<Namespace>& namespaces() const { return all<Namespace>(); }
  const All<Service>& services() const { return all<Service>(); }
  // The slices of one Service, by slice name.
  const std::map<ObjectName, Shared<EndpointSlice>>& endpoint_slices(
      const ObjectName& service) const;

 private:
  template <class T>
  void store(Shared<T> object);
  void store(Shared<EndpointSlice> object);
  template <class T>
  void erase(const ObjectName& name);
  // The map that an object of this name is in, if it is kept.
  template <class T>
  const std::map<ObjectName, Shared<T>>& beside(const ObjectName& name) const;

  template <class Variant>
  struct EachOf;
  template <class... Ts>
  struct EachOf<std::variant<Shared<Ts>...>> {
    using Type = std::tuple<All<Ts>...>;
  };
  typename EachOf<Object>::Type all_{};
  std::map<ObjectName, ObjectName> slice_service_{};  // slice → Service
  ClusterChanges changes_{};
  bool synced_ = false;
};

}  // namespace weft::model
