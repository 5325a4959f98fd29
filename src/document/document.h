// SPDX-License-Identifier: Apache-2.0
//
// Reads manifests of any kind: YAML (several documents, anchors, merge keys) or JSON (an object, a
// List, an array), as kubectl takes them, into Documents: apiVersion, kind, name and the whole
// value as JSON, with the line of every field, so that whoever decodes a kind can say where it is
// wrong:
//
//   WEFT_ASSIGN(const auto documents, read_documents(text, "web.yaml"));
//   for (const Document& document : documents)
//     if (document.kind == "Deployment" && !document.value["spec"]["replicas"].is_number())
//       return fail_at(document, "/spec/replicas", "must be a number");
//     // web.yaml:12: Deployment default/web: spec.replicas: must be a number
//
// YAML scalars become JSON as the API's clients (sigs.k8s.io/yaml) do it: unquoted null, true, 80
// and 0.5 are not strings; quoted ones are. Text that begins with { or [ is JSON, unless the first
// word in it stands without quotes (YAML's flow style).
// Made for manifests that people write; bulk goes through simdjson (value.h). Pure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::document {

// Of lists and objects in each other: no object of the API comes near, and recursion ends here.
constexpr int kDepthLimit = 100;
constexpr std::size_t kLongestPointer = 1000;
constexpr std::string_view kTooDeep = "is nested too deeply (more than 100 levels)";

// JSON pointer (RFC 6901: "/spec/ports/0/port", "/metadata/labels/app.kubernetes.io~1name") → line.
using FieldLines = std::map<std::string, int>;

// metadata.namespace, "" where the manifest has none, and metadata.name.
struct DocumentName {
  std::string name_space{};
  std::string name{};
  std::string to_string() const;  // "namespace/name", or "name"
};

struct Document {
  std::string file{};  // as given to read_documents
  int line = 1;        // where it begins
  std::string api_version{};
  std::string kind{};
  DocumentName name{};
  nlohmann::json value{};
  FieldLines lines{};

  // The line of a field; of what encloses it where the manifest has no such field.
  int line_of(std::string_view pointer) const;
};

// Lists are flattened (a PodList's items are Pods), empty documents skipped. Fails ("web.yaml:7:
// …") on bad syntax, on what is nested deeper than kDepthLimit, on a field given twice (YAML) and
// on a document without apiVersion, kind or metadata.name; then nothing is returned.
Result<std::vector<Document>> read_documents(std::string_view text, std::string_view file);

// Fills api_version, kind and name from the value, whose other fields are filled. Fails where the
// value is no object, or one of them is missing or no string.
Result<> read_header(Document& document);

// "web.yaml:12: Deployment default/web: spec.ports[0].port: message".
Failure fail_at(const Document& document, std::string_view pointer, std::string_view message);

bool is_json(std::string_view text);

// A value as errors show it: JSON on one line, shortened; what is no UTF-8 shows as U+FFFD.
std::string shown(const nlohmann::json& value);
// At most 60 bytes of UTF-8, and "…" for the rest.
std::string shortened(std::string text);
// "metadata.name: is not UTF-8: "caf\uFFFD"".
std::string not_utf8(std::string_view pointer, std::string_view text);

// How people write a JSON pointer: spec.ports[0].port.
std::string field_path(std::string_view pointer);
// `pointer` with one more step; / and ~ in `key` are escaped. One longer than kLongestPointer is
// not made: what stands there is told as what encloses it.
std::string field_pointer(std::string_view pointer, std::string_view key);

int line_in(const FieldLines& lines, std::string_view pointer, int otherwise);

}  // namespace weft::document
