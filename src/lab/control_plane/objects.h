// SPDX-License-Identifier: Apache-2.0
//
// The lab's "API server": Kubernetes objects as JSON, one file each, written atomically. Those that
// agents read (Namespace, Node, Pod, Service, EndpointSlice) are in manifests/, the one directory
// that all nodes watch; those that only `apply`'s controllers read (Deployment) are in objects/. An
// object that did not change is not written, so that agents wake only for what is new.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lab/names.h"
#include "model/objects.h"

namespace weft::lab {

using Json = nlohmann::json;
using model::ObjectName;

class ObjectStore {
 public:
  using Objects = std::map<ObjectName, Json>;

  explicit ObjectStore(LabNames names) : names_(std::move(names)) {}

  // Everything that is there. Fails naming the file that is no object.
  static Result<ObjectStore> load(const LabNames& names);

  const Objects& all(std::string_view kind) const;
  const Json* find(std::string_view kind, const ObjectName& name) const;

  Result<> put(Json object);
  Result<> remove(std::string_view kind, const ObjectName& name);

 private:
  std::string path_of(std::string_view kind, const ObjectName& name) const;

  LabNames names_;
  std::map<std::string, Objects, std::less<>> objects_{};
};

// Fields every kind has. Absent: "".
std::string kind_of(const Json& object);
ObjectName name_of(const Json& object);
model::Labels labels_of(const Json& object);
model::Labels labels_at(const Json& object, std::string_view pointer);  // any map of strings
// The string, or "", at a JSON pointer; and the same for numbers.
std::string text_at(const Json& object, std::string_view pointer);
int number_at(const Json& object, std::string_view pointer, int otherwise);
std::vector<std::string> texts_at(const Json& object, std::string_view pointer);

bool matches(const model::Labels& selector, const model::Labels& labels);

// A Pod's status, as the controllers and `status` read it.
std::string node_of(const Json& pod);
bool is_ready(const Json& pod);
std::vector<IpAddress> pod_ips(const Json& pod);

// A reader sees the old content or the new one.
Result<> write_file(const std::string& path, std::string_view content);

}  // namespace weft::lab
