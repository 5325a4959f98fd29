// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <numeric>
#include <string_view>

#include "document/document.h"
#include "lab/control_plane/deployment.h"
#include "lab/control_plane/service_defaults.h"
#include "lab/kubelet/workload.h"
#include "linux/file.h"

namespace weft::lab {
namespace {

namespace fs = std::filesystem;
using document::Document;
using document::DocumentName;

constexpr std::string_view kLeftAlone = "left alone: the lab does not play this kind";

bool is_manifest(const fs::path& path) {
  const std::string suffix = path.extension();
  return suffix == ".yaml" || suffix == ".yml" || suffix == ".json";
}

Result<std::vector<std::string>> files_of(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (fs::directory_iterator entry(path, error), end; entry != end; entry.increment(error)) {
    if (is_manifest(entry->path())) files.push_back(entry->path());
  }
  if (error) return fail_errno(path, error.value());
  if (files.empty()) return fail(path + ": no *.yaml, *.yml or *.json in it");
  std::sort(files.begin(), files.end());
  return files;
}

Result<std::string> read_manifest(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  return read_file(file);
}

bool is_known(const std::string& kind) {
  return kind == "Namespace" || kind == "Deployment" || kind == "Pod" || kind == "Service";
}

ObjectName name_of(const Document& document) {
  return {document.name.name_space, document.name.name};
}

std::string title_of(const Document& document) {
  std::string kind = document.kind;
  std::transform(kind.begin(), kind.end(), kind.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const DocumentName& name = document.name;
  return name.name_space.empty() || name.name_space == "default"
             ? fmt::format("{}/{}", kind, name.name)
             : fmt::format("{}/{} ({})", kind, name.name, name.name_space);
}

// The document with the namespace that the API gives it.
Document in_namespace(Document document) {
  if (document.kind == "Namespace") {
    document.name.name_space.clear();
    document.value["metadata"].erase("namespace");
  } else {
    if (document.name.name_space.empty()) document.name.name_space = "default";
    document.value["metadata"]["namespace"] = document.name.name_space;
  }
  return document;
}

Result<> check_namespace(const Document& document, const std::vector<Document>& all,
                         const ObjectStore& store) {
  const std::string& name_space = document.name.name_space;
  const bool is_there = document.kind == "Namespace" || store.find("Namespace", {"", name_space}) ||
                        std::any_of(all.begin(), all.end(), [&](const Document& other) {
                          return other.kind == "Namespace" && other.name.name == name_space;
                        });
  if (is_there) return {};
  return document::fail_at(document, "/metadata/namespace",
                           fmt::format("there is no namespace {}", name_space));
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_lower_or_digit(char c) { return is_lower(c) || (c >= '0' && c <= '9'); }

bool is_label(std::string_view name) {  // RFC 1123
  return !name.empty() && is_lower_or_digit(name.front()) && is_lower_or_digit(name.back()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_subdomain(std::string_view name) {  // RFC 1123: labels with dots between
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return is_label(name);
  return is_label(name.substr(0, dot)) && is_subdomain(name.substr(dot + 1));
}

bool is_name_for(std::string_view kind, std::string_view name) {
  if (kind == "Service") return is_label(name) && is_lower(name.front());  // RFC 1035
  return kind == "Namespace" ? is_label(name) : is_subdomain(name);
}

// As the API server has it: a Pod's and a Deployment's name is an RFC 1123 subdomain, a Namespace's
// an RFC 1123 label, a Service's an RFC 1035 label.
Result<> check_name(const Document& document) {
  const bool is_one_label = document.kind == "Namespace" || document.kind == "Service";
  const std::string& name = document.name.name;
  const std::size_t longest = is_one_label ? 63 : 253;
  if (name.size() <= longest && is_name_for(document.kind, name)) return {};
  return document::fail_at(
      document, "/metadata/name",
      fmt::format("\"{}\" is no name for a {}: at most {} of a-z, 0-9, '-'{}, {} first, no '-' at "
                  "an end",
                  name, document.kind, longest, is_one_label ? "" : " and '.'",
                  document.kind == "Service" ? "a letter" : "a letter or digit"));
}

// A Pod keeps what the lab has put there: its node and status, as long as its spec is the same.
Json merged_pod(const Document& document, const Json* existing) {
  Json pod = document.value;
  if (existing == nullptr) return pod;
  Json wanted = pod["spec"];
  if (!wanted.contains("nodeName")) wanted["nodeName"] = node_of(*existing);
  if (wanted != existing->at("spec")) return pod;
  pod["spec"] = std::move(wanted);
  if (existing->contains("status")) pod["status"] = existing->at("status");
  return pod;
}

// With what it takes of the allocated counted in.
Result<Json> admitted_service(const Lab& lab, const Document& document, const Json* existing,
                              Allocated& allocated) {
  if (existing != nullptr) allocated.remove(*existing);
  WEFT_ASSIGN(Json service,
              with_defaults(document, service_cidrs(lab.settings), allocated, existing));
  allocated.add(service);
  return service;
}

Result<Json> admitted_object(const Lab& lab, const Document& document, const ObjectStore& store,
                             Allocated& allocated) {
  const Json* existing = store.find(document.kind, name_of(document));
  if (document.kind == "Service") return admitted_service(lab, document, existing, allocated);
  if (document.kind == "Deployment") WEFT_TRY(check_deployment(document));
  if (document.kind == "Pod") {
    WEFT_TRY(decode_pod_spec(document, "/spec"));
    return merged_pod(document, existing);
  }
  return document.value;
}

std::string how(const Json* existing, const Json& wanted) {
  return existing == nullptr ? "created" : *existing == wanted ? "unchanged" : "configured";
}

// Services whose manifests name addresses come first: allocation must not take those. The order of
// everything else, and of what is told, is the manifests'.
std::vector<std::size_t> admission_order(const std::vector<Document>& documents) {
  std::vector<std::size_t> order(documents.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_partition(order.begin(), order.end(), [&](std::size_t i) {
    const Json& value = documents[i].value;
    return documents[i].kind != "Service" || !text_at(value, "/spec/clusterIP").empty() ||
           value.dump().find("nodePort\"") != std::string::npos;
  });
  return order;
}

Result<> forget_namespace(const std::string& name_space, ObjectStore& store) {
  for (const char* kind : {"Deployment", "Pod", "Service", "EndpointSlice"}) {
    const ObjectStore::Objects objects = store.all(kind);
    for (const auto& [name, object] : objects) {
      if (name.name_space == name_space) WEFT_TRY(store.remove(kind, name));
    }
  }
  return {};
}

Result<> forget_pods_of(const ObjectName& deployment, ObjectStore& store) {
  const ObjectStore::Objects pods = store.all("Pod");
  for (const auto& [name, pod] : pods) {
    if (name.name_space == deployment.name_space &&
        text_at(pod, "/metadata/ownerReferences/0/name") == deployment.name) {
      WEFT_TRY(store.remove("Pod", name));
    }
  }
  return {};
}

Result<Admitted> forget_one(const Document& document, ObjectStore& store) {
  const std::string title = title_of(document);
  if (!is_known(document.kind)) return Admitted{title, std::string(kLeftAlone)};
  if (store.find(document.kind, name_of(document)) == nullptr) return Admitted{title, "not there"};
  if (document.kind == "Namespace") WEFT_TRY(forget_namespace(document.name.name, store));
  if (document.kind == "Deployment") WEFT_TRY(forget_pods_of(name_of(document), store));
  WEFT_TRY(store.remove(document.kind, name_of(document)));
  return Admitted{title, "deleted"};
}

}  // namespace

Result<std::vector<Document>> read_manifests(const std::vector<std::string>& paths) {
  std::vector<Document> documents;
  for (const std::string& path : paths) {
    WEFT_ASSIGN(const std::vector<std::string> files, files_of(path));
    for (const std::string& file : files) {
      WEFT_ASSIGN(const std::string text, read_manifest(file));
      WEFT_ASSIGN(std::vector<Document> read, document::read_documents(text, file));
      for (Document& document : read) documents.push_back(in_namespace(std::move(document)));
    }
  }
  return documents;
}

Result<std::vector<Admitted>> admit(const Lab& lab, const std::vector<Document>& documents,
                                    ObjectStore& store) {
  std::vector<Admitted> admitted(documents.size());
  std::vector<Json> objects;
  Allocated allocated;
  for (const auto& [name, service] : store.all("Service")) allocated.add(service);
  for (const std::size_t i : admission_order(documents)) {
    const Document& document = documents[i];
    const std::string title = title_of(document);
    if (!is_known(document.kind)) {
      admitted[i] = {title, std::string(kLeftAlone)};
      continue;
    }
    WEFT_TRY(check_name(document));
    WEFT_TRY(check_namespace(document, documents, store));
    WEFT_ASSIGN(Json object, admitted_object(lab, document, store, allocated));
    admitted[i] = {title, how(store.find(document.kind, name_of(document)), object)};
    objects.push_back(std::move(object));
  }
  for (Json& object : objects) WEFT_TRY(store.put(std::move(object)));
  return admitted;
}

Result<std::vector<Admitted>> forget(const std::vector<Document>& documents, ObjectStore& store) {
  std::vector<Admitted> forgotten;
  for (const Document& document : documents) {
    WEFT_ASSIGN(Admitted one, forget_one(document, store));
    forgotten.push_back(std::move(one));
  }
  return forgotten;
}

}  // namespace weft::lab
