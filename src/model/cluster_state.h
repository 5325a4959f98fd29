// SPDX-License-Identifier: Apache-2.0
//
// ClusterState: the only mutable store of what the sources said, and the Source interface they all
// implement (manifest files today, the Kubernetes API next). A source says upsert, remove and,
// once it has told everything it knew at the start, synced; nothing is written to the kernel before
// every source is in sync. The state collects which objects changed until take_changes() is called,
// so that a burst of events is one pass.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "model/objects.h"

namespace weft::model {

using Object = std::variant<Namespace, Node, Pod, Service, EndpointSlice>;

// In the order of Object's alternatives.
enum class ObjectKind : std::uint8_t { kNamespace, kNode, kPod, kService, kEndpointSlice };
std::string_view to_string(ObjectKind kind);  // "EndpointSlice"

struct ObjectKey {
  ObjectKind kind{};
  ObjectName name{};
  auto operator<=>(const ObjectKey&) const = default;
  std::string to_string() const;  // "Service default/web"
};

ObjectKey key_of(const Object& object);

// What a source calls, on the loop's thread.
class SourceSink {
 public:
  virtual ~SourceSink() = default;
  virtual void upsert(Object object) = 0;
  virtual void remove(const ObjectKey& key) = 0;
  virtual void synced() = 0;
};

struct ClusterChanges {
  std::set<ObjectName> nodes{};
  std::set<ObjectName> pods{};
  std::set<ObjectName> namespaces{};
  std::set<ObjectName> services{};  // also those whose EndpointSlices changed
  bool empty() const {
    return nodes.empty() && pods.empty() && namespaces.empty() && services.empty();
  }
};

class ClusterState final : public SourceSink {
 public:
  void upsert(Object object) override;  // an equal object changes nothing
  void remove(const ObjectKey& key) override;
  void synced() override { synced_ = true; }
  bool is_synced() const { return synced_; }

  // What changed since the last call.
  ClusterChanges take_changes();
  bool has_changes() const { return !changes_.empty(); }

  const std::map<ObjectName, Node>& nodes() const { return nodes_; }
  const std::map<ObjectName, Pod>& pods() const { return pods_; }
  const std::map<ObjectName, Namespace>& namespaces() const { return namespaces_; }
  const std::map<ObjectName, Service>& services() const { return services_; }
  // The slices of one Service, by slice name. A slice without a Service is not kept.
  const std::map<ObjectName, EndpointSlice>& endpoint_slices(const ObjectName& service) const;

 private:
  void store(Namespace object);
  void store(Node object);
  void store(Pod object);
  void store(Service object);
  void store(EndpointSlice object);
  void remove_slice(const ObjectName& name);

  std::map<ObjectName, Node> nodes_{};
  std::map<ObjectName, Pod> pods_{};
  std::map<ObjectName, Namespace> namespaces_{};
  std::map<ObjectName, Service> services_{};
  std::map<ObjectName, std::map<ObjectName, EndpointSlice>> slices_{};  // by Service, by slice
  std::map<ObjectName, ObjectName> slice_service_{};                    // slice → Service
  ClusterChanges changes_{};
  bool synced_ = false;
};

}  // namespace weft::model
