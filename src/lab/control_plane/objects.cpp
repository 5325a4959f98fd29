// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "linux/file.h"

namespace weft::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".json";

bool is_read_by_agents(std::string_view kind) {
  return kind == "Namespace" || kind == "Node" || kind == "Pod" || kind == "Service" ||
         kind == "EndpointSlice";
}

const Json* value_at(const Json& object, std::string_view pointer) {
  const Json::json_pointer path{std::string(pointer)};
  return object.contains(path) ? &object.at(path) : nullptr;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lowered;
}

Result<Json> read_object(const fs::path& path) {
  WEFT_ASSIGN(const std::string text, read_file(path));
  Json object = Json::parse(text, nullptr, false);
  if (!object.is_object() || kind_of(object).empty() || name_of(object).name.empty()) {
    return fail(path.string() + ": not a Kubernetes object");
  }
  return object;
}

}  // namespace

Result<ObjectStore> ObjectStore::load(const LabNames& names) {
  ObjectStore store(names);
  for (const std::string& directory : {names.manifests_directory(), names.objects_directory()}) {
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; entry != end;
         entry.increment(error)) {
      const std::string file = entry->path().filename();
      if (file.starts_with('.') || !file.ends_with(kSuffix)) continue;
      WEFT_ASSIGN(Json object, read_object(entry->path()));
      const std::string kind = kind_of(object);
      const ObjectName name = name_of(object);
      store.objects_[kind].insert_or_assign(name, std::move(object));
    }
    if (error) return fail_errno(directory, error.value());
  }
  return store;
}

const ObjectStore::Objects& ObjectStore::all(std::string_view kind) const {
  static const Objects none;
  const auto found = objects_.find(kind);
  return found == objects_.end() ? none : found->second;
}

const Json* ObjectStore::find(std::string_view kind, const ObjectName& name) const {
  const Objects& objects = all(kind);
  const auto found = objects.find(name);
  return found == objects.end() ? nullptr : &found->second;
}

Result<> ObjectStore::put(Json object) {
  const std::string kind = kind_of(object);
  const ObjectName name = name_of(object);
  if (const Json* existing = find(kind, name); existing != nullptr && *existing == object)
    return {};
  WEFT_TRY(write_file(path_of(kind, name), object.dump(2) + "\n"));
  objects_[kind].insert_or_assign(name, std::move(object));
  return {};
}

Result<> ObjectStore::remove(std::string_view kind, const ObjectName& name) {
  const std::string path = path_of(kind, name);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove " + path);
  if (const auto objects = objects_.find(kind); objects != objects_.end())
    objects->second.erase(name);
  return {};
}

// '_' is in no Kubernetes name, so that no two objects share a file.
std::string ObjectStore::path_of(std::string_view kind, const ObjectName& name) const {
  const std::string directory =
      is_read_by_agents(kind) ? names_.manifests_directory() : names_.objects_directory();
  return name.name_space.empty()
             ? fmt::format("{}/{}_{}{}", directory, lower(kind), name.name, kSuffix)
             : fmt::format("{}/{}_{}_{}{}", directory, lower(kind), name.name_space, name.name,
                           kSuffix);
}

std::string kind_of(const Json& object) { return text_at(object, "/kind"); }

ObjectName name_of(const Json& object) {
  return {text_at(object, "/metadata/namespace"), text_at(object, "/metadata/name")};
}

model::Labels labels_of(const Json& object) { return labels_at(object, "/metadata/labels"); }

model::Labels labels_at(const Json& object, std::string_view pointer) {
  model::Labels labels;
  const Json* found = value_at(object, pointer);
  if (found == nullptr || !found->is_object()) return labels;
  for (const auto& [key, value] : found->items()) {
    if (value.is_string()) labels.emplace(key, value.get<std::string>());
  }
  return labels;
}

std::string text_at(const Json& object, std::string_view pointer) {
  const Json* found = value_at(object, pointer);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

int number_at(const Json& object, std::string_view pointer, int otherwise) {
  const Json* found = value_at(object, pointer);
  return found != nullptr && found->is_number_integer() ? found->get<int>() : otherwise;
}

std::vector<std::string> texts_at(const Json& object, std::string_view pointer) {
  std::vector<std::string> texts;
  const Json* found = value_at(object, pointer);
  if (found == nullptr || !found->is_array()) return texts;
  for (const Json& item : *found) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

bool matches(const model::Labels& selector, const model::Labels& labels) {
  return std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
    const auto found = labels.find(wanted.first);
    return found != labels.end() && found->second == wanted.second;
  });
}

std::string node_of(const Json& pod) { return text_at(pod, "/spec/nodeName"); }

bool is_ready(const Json& pod) {
  const Json* conditions = value_at(pod, "/status/conditions");
  if (conditions == nullptr) return false;
  return std::any_of(conditions->begin(), conditions->end(), [](const Json& condition) {
    return text_at(condition, "/type") == "Ready" && text_at(condition, "/status") == "True";
  });
}

std::vector<IpAddress> pod_ips(const Json& pod) {
  std::vector<IpAddress> ips;
  const Json* found = value_at(pod, "/status/podIPs");
  if (found == nullptr) return ips;
  for (const Json& entry : *found) {
    if (const auto ip = IpAddress::parse(text_at(entry, "/ip"))) ips.push_back(*ip);
  }
  return ips;
}

Result<> write_file(const std::string& path, std::string_view content) {
  constexpr mode_t kMode = 0644;
  return write_atomically(path, content, kMode, Durable::kNo);
}

}  // namespace weft::lab
